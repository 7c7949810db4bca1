import type { Bytes, CommandChannel } from "../../protocol/mod.ts";
import { CommandWriter } from "../../protocol/mod.ts";
import { about } from "../about_round.ts";
import {
  ANNOUNCE,
  FAULT_PLACE,
  REPLIES,
  ROUND_DONE,
  ROUND_FAILED,
  SETTINGS,
} from "../commands.ts";
import type { RoundId } from "../round.ts";
import type { MixTimers } from "../mix_timers.ts";

/** Bytes that may wait for a client that does not take them: a filter, settings and some replies. */
const QUEUE_BYTES = 524_288;
/** For so long what was sent last may take until the operating system has it, in milliseconds. */
const STALL = 15_000;
/** How long a client is waited for that is to go, in milliseconds. */
const GOODBYE = 2_000;

/** What is used of a connection. */
export type ClientLink = Pick<
  CommandChannel,
  "next" | "send" | "flushed" | "close" | "abort"
>;

/**
 * A client that has joined. What is sent to it waits here for a little while; whoever does not take it
 * is dropped, so that many who do not read cannot fill the memory.
 */
export class Seat {
  /** Clients are answered in the order in which they joined, whatever they have sent and when. */
  readonly order: number;
  readonly #link: ClientLink;
  readonly #timers: MixTimers;
  #queue: Bytes[] = [];
  #bytes = 0;
  #sending: Promise<void> | undefined;
  #since = 0;
  #gone = false;

  /** @param order differs from that of every other client. */
  constructor(order: number, link: ClientLink, timers: MixTimers) {
    this.order = order;
    this.#link = link;
    this.#timers = timers;
  }

  /** Bytes that wait to be sent. */
  get waiting(): number {
    return this.#bytes;
  }

  /** Settings of a run to come. */
  announce(document: Bytes): void {
    this.post(
      new CommandWriter(document.length + 16).set(SETTINGS, document)
        .verb(ANNOUNCE).done(),
    );
  }

  /** A round is over; of a dialing round nothing comes back. */
  done(round: RoundId, replies: Bytes | undefined): void {
    this.post(
      about(round, 32 + (replies?.length ?? 0)).set(REPLIES, replies)
        .verb(ROUND_DONE).done(),
    );
  }

  /** A round came to nothing, because of the mix at that place. */
  failed(round: RoundId, place: number): void {
    this.post(about(round).set(FAULT_PLACE, place).verb(ROUND_FAILED).done());
  }

  /** Sends commands as soon as the client takes them. */
  post(commands: Bytes): void {
    if (this.#gone) return;
    const isStalled = this.#sending !== undefined &&
      this.#timers.now() - this.#since > STALL;
    this.#bytes += commands.length;
    if (isStalled || this.#bytes > QUEUE_BYTES) return this.drop();
    this.#queue.push(commands);
    this.#sending ??= this.#send();
  }

  /** Sends the answer to what the client asked; resolves when it has left, so that only then more is asked. */
  async reply(commands: Bytes): Promise<void> {
    this.post(commands);
    await this.#sending;
  }

  /** Nothing is sent any more. */
  leave(): void {
    this.#gone = true;
    this.#queue = [];
    this.#bytes = 0;
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.leave();
    this.#link.abort();
  }

  /** Sends what is queued, then CLOSE. Whoever does not take it is dropped. */
  async close(): Promise<void> {
    const queue = this.#queue;
    this.leave();
    for (const each of queue) {
      this.#link.send(each).catch(() => {/* the connection is gone */});
    }
    const cancel = this.#timers.after(GOODBYE, () => this.#link.abort());
    await this.#link.close();
    cancel();
  }

  async #send(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        this.#since = this.#timers.now();
        const batch = this.#queue;
        this.#queue = [];
        await Promise.all(batch.map((each) => this.#link.send(each)));
        await this.#link.flushed();
        if (!this.#gone) {
          this.#bytes -= batch.reduce((sum, { length }) => sum + length, 0);
        }
      }
    } catch {
      // The connection is gone; whoever reads from it is told.
      this.leave();
    } finally {
      this.#sending = undefined;
    }
  }
}
