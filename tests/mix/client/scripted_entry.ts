import type { RoundLink } from "../../../lib/mix/client/round_link.ts";
import * as commands from "../../../lib/mix/commands.ts";
import type { RoundId } from "../../../lib/mix/round.ts";
import {
  ChannelError,
  CommandWriter,
  Decoder,
  Vocabulary,
} from "../../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../../lib/protocol/mod.ts";
import type { VirtualClock } from "./virtual_clock.ts";

const VOCABULARY = new Vocabulary(commands.ROUNDS);
const LIMITS = { messageBytes: 2_000_000, skippedBytes: 1_000 };

/** What came over the wire from the client, in one piece. */
export interface Sent {
  /** When, on the coordinator's clock. */
  readonly at: number;
  /** How many bytes. */
  readonly bytes: number;
  /** What it was. */
  readonly verb: string;
  readonly message: Message;
}

/** An entry in memory that does what a test tells it to. */
export class ScriptedEntry {
  readonly #clock: VirtualClock;
  /** What added to the client's clock gives the coordinator's time. */
  skew: number;
  /** Milliseconds that everything takes on its way, there and back each. */
  delay = 0;
  /** Whether connections are refused. */
  isAway = false;
  /** Everything that clients have sent. */
  readonly sent: Sent[] = [];
  /** Told of every message; what it does is up to the test. */
  onMessage: (message: Message, link: EntryEnd) => void;
  /** Connections, the last one at the end. */
  readonly links: EntryEnd[] = [];

  constructor(clock: VirtualClock, skew = 1_800_000_000_000) {
    this.#clock = clock;
    this.skew = skew;
    this.onMessage = (message, link) => this.courtesy(message, link);
  }

  /** The coordinator's time. */
  now(): number {
    return this.#clock.now() + this.skew;
  }

  /** The connection that was made last. */
  get link(): EntryEnd {
    return this.links.at(-1)!;
  }

  connect(): Promise<RoundLink> {
    if (this.isAway) return Promise.reject(new Error("nobody is there"));
    const link: EntryEnd = new EntryEnd(
      this.#clock,
      this.delay,
      (message, bytes) => {
        const { verb } = message;
        this.sent.push({ at: this.now(), bytes, verb: verb.name, message });
        this.onMessage(message, link);
      },
    );
    this.links.push(link);
    return Promise.resolve(link);
  }

  /** Answers JOIN and PROBE. */
  courtesy(message: Message, link: EntryEnd): void {
    const timed = () =>
      new CommandWriter().set(commands.CLOCK, BigInt(Math.floor(this.now())));
    if (message.verb === commands.JOIN) {
      link.say(timed().verb(commands.JOINED).done());
    } else if (message.verb === commands.PROBE) {
      link.say(timed().verb(commands.PROBED).done());
    } else if (message.verb === commands.FETCH_FILTER) {
      link.say(new CommandWriter().verb(commands.FETCHED_FILTER).done());
    }
  }

  announce(document: Bytes): void {
    this.link.say(
      new CommandWriter().set(commands.SETTINGS, document)
        .verb(commands.ANNOUNCE).done(),
    );
  }

  done({ kind, start }: RoundId, replies: Bytes | undefined): void {
    this.link.say(
      new CommandWriter().set(commands.ROUND_KIND, kind)
        .set(commands.ROUND_START, BigInt(start))
        .set(commands.REPLIES, replies).verb(commands.ROUND_DONE).done(),
    );
  }

  late({ kind, start }: RoundId, by: number): void {
    this.link.say(
      new CommandWriter().set(commands.ROUND_KIND, kind)
        .set(commands.ROUND_START, BigInt(start))
        .set(commands.LATE_BY, by).verb(commands.ROUND_LATE).done(),
    );
  }

  failed({ kind, start }: RoundId): void {
    this.link.say(
      new CommandWriter().set(commands.ROUND_KIND, kind)
        .set(commands.ROUND_START, BigInt(start))
        .set(commands.FAULT_PLACE, 1).verb(commands.ROUND_FAILED).done(),
    );
  }

  /** What was handed in for rounds of a kind. */
  submissions(kind: number): Sent[] {
    return this.sent.filter(({ message }) =>
      message.verb === commands.SUBMIT_ONIONS &&
      message.get(commands.ROUND_KIND) === kind
    );
  }
}

/** The client's end of a connection, with the entry's hand on it. */
export class EntryEnd implements RoundLink {
  readonly #clock: VirtualClock;
  readonly #delay: number;
  readonly #heard: (message: Message, bytes: number) => void;
  readonly #upward = new Decoder(VOCABULARY, LIMITS);
  readonly #downward = new Decoder(VOCABULARY, LIMITS);
  #waiting: PromiseWithResolvers<Message | null> | undefined;
  #queue: (Message | null)[] = [];
  /** How it has ended, if it has. */
  ended: "closed" | "aborted" | undefined;

  constructor(
    clock: VirtualClock,
    delay: number,
    heard: (message: Message, bytes: number) => void,
  ) {
    this.#clock = clock;
    this.#delay = delay;
    this.#heard = heard;
  }

  /** The entry says something. */
  say(bytes: Bytes): void {
    this.#later(() => {
      this.#downward.push(bytes);
      for (let next; (next = this.#downward.next()) !== undefined;) {
        this.#give(next);
      }
    });
  }

  /** The entry says CLOSE. */
  hangUp(): void {
    this.#later(() => this.#give(null));
  }

  next(): Promise<Message | null> {
    if (this.ended !== undefined) return Promise.reject(over());
    const first = this.#queue.shift();
    if (first !== undefined) return Promise.resolve(first);
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  send(bytes: Bytes): Promise<void> {
    if (this.ended !== undefined) return Promise.reject(over());
    this.#later(() => {
      this.#upward.push(bytes);
      for (let next; (next = this.#upward.next()) !== undefined;) {
        this.#heard(next, bytes.length);
      }
    });
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#end("closed");
    return Promise.resolve();
  }

  abort(): void {
    this.#end("aborted");
  }

  #later(call: () => void): void {
    const unlessOver = () => {
      if (this.ended === undefined) call();
    };
    if (this.#delay === 0) unlessOver();
    else this.#clock.after(this.#delay, unlessOver);
  }

  #give(message: Message | null): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#queue.push(message);
    else waiting.resolve(message);
  }

  #end(how: "closed" | "aborted"): void {
    this.ended ??= how;
    this.#waiting?.reject(over());
    this.#waiting = undefined;
  }
}

function over(): ChannelError {
  return new ChannelError("ERR_CHANNEL_CLOSED", "Cannot go on: it is closed");
}
