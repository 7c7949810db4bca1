import type { Bytes } from "../../protocol/mod.ts";
import {
  AEAD_TAG_BYTES,
  equalConstantTime,
  MalformedError,
} from "../../protocol/mod.ts";

/**
 * How much may be under way (SPEC.md §12.6; tor-spec §7.4), in units of 512 bytes of cells: an end
 * sends DATA only as far as the other end has made room, so that nobody on the way need keep more.
 */

/** Units of DATA under way on a circuit, in one direction: 2 MiB. */
export const CIRCUIT_WINDOW = 4_096;
/** A SENDME of the circuit answers so many units. */
export const CIRCUIT_INCREMENT = 512;
/** Units of DATA under way on a stream, in one direction: 1 MiB. */
export const STREAM_WINDOW = 2_048;
/** A SENDME of a stream answers so many units. */
export const STREAM_INCREMENT = 256;

/** Room for what is to be sent; whoever finds none waits, and is served in turn. */
export class SendWindow {
  readonly #full: number;
  #left: number;
  #failure: Error | undefined;
  #waiting: {
    readonly units: number;
    readonly who: number;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];

  readonly #now: () => number;
  /** When the one who waits longest began to, or room was made for the last time since. */
  #stillSince = 0;

  /**
   * `units` is the room at first, and the most there can be; `now` is milliseconds of a steady clock.
   */
  constructor(units: number, now: () => number = () => performance.now()) {
    this.#full = units;
    this.#left = units;
    this.#now = now;
  }

  /** For how long somebody has waited and nobody has got room, in milliseconds; 0 if nobody waits. */
  get still(): number {
    return this.#waiting.length === 0 ? 0 : this.#now() - this.#stillSince;
  }

  /** Takes room for somebody; `undefined` if there was some at once. Rejects once `fail` was called. */
  take(units: number, who = 0): Promise<void> | undefined {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#waiting.length === 0 && this.#left >= units) {
      this.#left -= units;
      return undefined;
    }
    if (this.#waiting.length === 0) this.#stillSince = this.#now();
    return new Promise((resolve, reject) =>
      this.#waiting.push({ units, who, resolve, reject })
    );
  }

  /**
   * The other end has made room.
   *
   * @throws {MalformedError} if it is more than was ever taken.
   */
  grant(units: number): void {
    this.#left += units;
    if (this.#left > this.#full) {
      throw new MalformedError("Cannot send more: nothing was to be answered");
    }
    this.#serve();
  }

  /** Somebody waits no more, and gets this error. */
  giveUp(who: number, error: Error): void {
    const leaving = this.#waiting.filter((each) => each.who === who);
    if (leaving.length === 0) return;
    this.#waiting = this.#waiting.filter((each) => each.who !== who);
    for (const { reject } of leaving) reject(error);
    this.#serve();
  }

  /** Whoever waits, or comes, gets this error. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #serve(): void {
    while ((this.#waiting[0]?.units ?? Infinity) <= this.#left) {
      const { units, resolve } = this.#waiting.shift()!;
      this.#left -= units;
      this.#stillSince = this.#now();
      resolve();
    }
  }
}

/**
 * The room on a circuit. The other end proves by the tag of a cell that it has received everything up
 * to that one, so that nobody can ask for more without taking what comes (Tor proposal 289).
 */
export class CircuitWindow extends SendWindow {
  #sent = 0;
  readonly #marks: Promise<Bytes>[] = [];

  /** With the room that every circuit has. */
  constructor() {
    super(CIRCUIT_WINDOW);
  }

  /** A cell of so many units was sent; `sealed` is its innermost layer, which ends in the tag. */
  sent(units: number, sealed: Promise<Bytes>): void {
    const before = Math.floor(this.#sent / CIRCUIT_INCREMENT);
    this.#sent += units;
    if (Math.floor(this.#sent / CIRCUIT_INCREMENT) === before) return;
    const mark = sealed.then((layer) => layer.slice(-AEAD_TAG_BYTES));
    mark.catch(() => {/* the circuit ends by it */});
    this.#marks.push(mark);
  }

  /**
   * A SENDME has come.
   *
   * @throws {MalformedError} if it names no cell that is to be answered next.
   */
  async answered(tag: Bytes): Promise<void> {
    const mark = this.#marks.shift();
    if (mark === undefined || !equalConstantTime(await mark, tag)) {
      throw new MalformedError("Cannot go on: SENDME answers no cell");
    }
    this.grant(CIRCUIT_INCREMENT);
  }
}

/** Counts what comes in, and says when it is to be answered. */
export class ReceiveWindow {
  readonly #full: number;
  readonly #increment: number;
  #open: number;
  #pending = 0;

  /** As much as the other side's window holds, and what one SENDME answers. */
  constructor(full: number, increment: number) {
    this.#full = full;
    this.#increment = increment;
    this.#open = full;
  }

  /**
   * So much has come in.
   *
   * @throws {MalformedError} if there was no room for it.
   */
  received(units: number): void {
    this.#open -= units;
    if (this.#open < 0) {
      throw new MalformedError("Cannot take data: there was no room for them");
    }
  }

  /** So much has been taken away; how many SENDMEs are due. */
  consumed(units: number): number {
    this.#pending += units;
    const due = Math.floor(this.#pending / this.#increment);
    this.#pending -= due * this.#increment;
    this.#open = Math.min(this.#full, this.#open + due * this.#increment);
    return due;
  }
}
