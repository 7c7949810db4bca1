import type { Bytes, Message } from "../../protocol/mod.ts";
import {
  ChannelError,
  CommandWriter,
  MalformedError,
} from "../../protocol/mod.ts";
import {
  ANNOUNCE,
  BUCKET,
  CLOCK,
  FAULT_PLACE,
  FETCH_FILTER,
  FETCHED_FILTER,
  FILTER,
  JOIN,
  JOINED,
  LATE_BY,
  ONIONS,
  PROBE,
  PROBED,
  REPLIES,
  ROUND_DONE,
  ROUND_FAILED,
  ROUND_KIND,
  ROUND_LATE,
  ROUND_START,
  SETTINGS,
  SUBMIT_ONIONS,
} from "../commands.ts";
import { MixError } from "../mix_error.ts";
import { RoundKind } from "../round.ts";
import type { RoundId } from "../round.ts";
import type { RoundLink } from "./round_link.ts";

/** Who is told of what the entry says by itself. None of these may throw. */
export interface EntryListener {
  /** Settings of a run to come; what they are worth is another matter. */
  announced(document: Bytes): void;
  /** A round is over; replies of an exchange round. */
  done(round: RoundId, replies: Bytes): void;
  /** Onions came when the round was closed, so many milliseconds ago. */
  late(round: RoundId, by: number): void;
  /** A round came to nothing, at that place of the chain. */
  failed(round: RoundId, place: number): void;
}

/** The filter of a bucket, as the entry gave it. */
export interface FetchedFilter {
  /** Start of the dialing round. */
  readonly start: number;
  /** Not parsed yet; nothing if that round had no such bucket. */
  readonly filter: Bytes | undefined;
}

/** Later than this no clock stands and no round starts. */
const TIME_LIMIT = 2n ** 52n;

/** Somebody who waits for an answer. */
interface Waiting<T> {
  readonly resolve: (answer: T) => void;
  readonly reject: (error: unknown) => void;
}

/** A connection to the entry, in what is asked, answered and told on it. */
export class EntryLink {
  readonly #link: RoundLink;
  readonly #listener: EntryListener;
  readonly #joining: Waiting<number>[] = [];
  readonly #probing: Waiting<number>[] = [];
  readonly #fetching: Waiting<FetchedFilter | undefined>[] = [];
  #failure: Error | undefined;

  /** Nothing is said yet, and nothing heard before `serve`. */
  constructor(link: RoundLink, listener: EntryListener) {
    this.#link = link;
    this.#listener = listener;
  }

  /**
   * Hears what the entry says, until the connection ends; it never ends well.
   *
   * @throws {ChannelError} if it is cut or closed.
   * @throws {MalformedError | MixError} if the entry keeps to no rule, or refuses.
   */
  async serve(): Promise<never> {
    try {
      for (;;) {
        const message = await this.#link.next();
        if (message === null) throw cut();
        this.#take(message);
      }
    } catch (error) {
      // If it was dropped here, the reason for that says more.
      throw this.#fail(error as Error);
    }
  }

  /** Asks to be taken in; the coordinator's time. */
  join(): Promise<number> {
    return this.#ask(this.#joining, new CommandWriter().verb(JOIN).done());
  }

  /** Asks for the time: milliseconds since 1970. */
  probe(): Promise<number> {
    return this.#ask(this.#probing, new CommandWriter().verb(PROBE).done());
  }

  /** The filter of a bucket in the first dialing round after `after`; nothing if there is none. */
  fetch(bucket: number, after: number): Promise<FetchedFilter | undefined> {
    const commands = new CommandWriter().set(BUCKET, bucket)
      .set(ROUND_START, BigInt(after)).verb(FETCH_FILTER).done();
    return this.#ask(this.#fetching, commands);
  }

  /** Hands in all onions for a round, in one piece. */
  submit({ kind, start }: RoundId, onions: Bytes): void {
    const commands = new CommandWriter(onions.length + 64).set(ROUND_KIND, kind)
      .set(ROUND_START, BigInt(start)).set(ONIONS, onions).verb(SUBMIT_ONIONS);
    this.#send(commands.done());
  }

  /** Says CLOSE and closes. */
  async close(): Promise<void> {
    await this.#link.close();
  }

  /** Drops the connection; whoever waits is told `error`. */
  abort(error: Error): void {
    this.#fail(error);
    this.#link.abort();
  }

  #ask<T>(queue: Waiting<T>[], commands: Bytes): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (this.#failure !== undefined) reject(this.#failure);
    else {
      queue.push({ resolve, reject });
      this.#send(commands);
    }
    return promise;
  }

  #send(commands: Bytes): void {
    this.#link.send(commands).catch(
      () => {/* what is heard next says that the connection has failed */},
    );
  }

  #take(message: Message): void {
    const { verb } = message;
    const listener = this.#listener;
    if (verb === ANNOUNCE) listener.announced(message.need(SETTINGS));
    else if (verb === ROUND_DONE) {
      const replies = message.get(REPLIES) ?? new Uint8Array(0);
      listener.done(roundOf(message), replies);
    } else if (verb === ROUND_LATE) {
      listener.late(roundOf(message), message.get(LATE_BY) ?? 0);
    } else if (verb === ROUND_FAILED) {
      listener.failed(roundOf(message), message.get(FAULT_PLACE) ?? 0);
    } else if (verb === JOINED) answer(this.#joining, timeOf(message, CLOCK));
    else if (verb === PROBED) answer(this.#probing, timeOf(message, CLOCK));
    else if (verb === FETCHED_FILTER) {
      const start = message.get(ROUND_START) === undefined
        ? undefined
        : timeOf(message, ROUND_START);
      answer(
        this.#fetching,
        start === undefined
          ? undefined
          : { start, filter: message.get(FILTER) },
      );
    } else {
      throw new MixError(
        "ERR_MIX_REFUSED",
        "Cannot take part in rounds: the entry refuses",
      );
    }
  }

  /** Everybody who waits is told; the first failure is the one that counts. */
  #fail(error: Error): Error {
    this.#failure ??= error;
    const waiting = [
      ...this.#joining.splice(0),
      ...this.#probing.splice(0),
      ...this.#fetching.splice(0),
    ];
    for (const { reject } of waiting) reject(this.#failure);
    return this.#failure;
  }
}

function answer<T>(queue: Waiting<T>[], value: T): void {
  const waiting = queue.shift();
  if (waiting === undefined) {
    throw new MalformedError("Cannot take an answer: nothing was asked");
  }
  waiting.resolve(value);
}

function roundOf(message: Message): RoundId {
  const kind = message.need(ROUND_KIND);
  if (kind !== RoundKind.EXCHANGE && kind !== RoundKind.DIALING) {
    throw new MalformedError(`Cannot tell a round: kind ${kind}`);
  }
  return { kind, start: timeOf(message, ROUND_START) };
}

function timeOf(
  message: Message,
  parameter: typeof CLOCK | typeof ROUND_START,
): number {
  const time = message.need(parameter);
  if (time > TIME_LIMIT) {
    throw new MalformedError(`Cannot take ${parameter.name}: it is too late`);
  }
  return Number(time);
}

function cut(): ChannelError {
  return new ChannelError(
    "ERR_CHANNEL_CUT",
    "Cannot take part in rounds: the entry closed the connection",
  );
}
