/**
 * Flow control of one end, written from SPEC.md §12.6. Nothing is left unread here: what comes counts as
 * read at once.
 *
 * @module
 */
import type { Octets } from "./naive_primitives.ts";

/** Units of a cell of DATA by the length of its body. */
export function unitsOf(body: number): number {
  return body === 1_536 ? 3 : 128;
}

/** A stream at one of its ends. */
export class NaiveStream {
  readonly number: number;
  /** Units that may still be sent. */
  window = 2_048;
  /** Units read and not answered. */
  unanswered = 0;
  /** What has come. */
  readonly received: Octets[] = [];
  /** Whether CONNECTED has come. */
  connected = false;
  /** With which reason the other side has ended its direction. */
  ended: number | undefined;
  /** Whether this side has ended its own. */
  closed = false;
  /** Whether this side has broken both directions. */
  broken = false;
  /** What RESOLVED has named. */
  answers: readonly string[] | undefined;

  constructor(number: number) {
    this.number = number;
  }

  /** How many bytes have come. */
  get length(): number {
    return this.received.reduce((sum, { length }) => sum + length, 0);
  }
}

/** Both directions of a circuit at one end. */
export class NaiveWindows {
  /** Units that may still be sent. */
  window = 4_096;
  readonly #expected: Octets[] = [];
  #sent = 0;
  #received = 0;

  /** Whether a cell with a body of this length may be sent on `stream`. */
  allow(stream: NaiveStream, body: number): boolean {
    return Math.min(this.window, stream.window) >= unitsOf(body);
  }

  /** A cell of DATA has been sent. */
  sent(stream: NaiveStream, body: number, tag: Octets): void {
    const before = Math.floor(this.#sent / 512);
    this.#sent += unitsOf(body);
    if (Math.floor(this.#sent / 512) > before) this.#expected.push(tag);
    this.window -= unitsOf(body);
    stream.window -= unitsOf(body);
  }

  /** A cell of DATA has come: whether SENDME of the circuit is due. */
  came(body: number): boolean {
    const before = Math.floor(this.#received / 512);
    this.#received += unitsOf(body);
    return Math.floor(this.#received / 512) > before;
  }

  /** It was for this stream and is read: whether SENDME of the stream is due. */
  read(stream: NaiveStream, body: number): boolean {
    stream.unanswered += unitsOf(body);
    if (stream.unanswered < 256) return false;
    stream.unanswered -= 256;
    return true;
  }

  /** SENDME of the circuit has come. */
  answered(tag: Octets): void {
    const expected = this.#expected.shift();
    if (expected?.toHex() !== tag.toHex()) throw new Error("not the tag due");
    this.window += 512;
  }

  /** SENDME of a stream has come. */
  streamAnswered(stream: NaiveStream): void {
    if (stream.window + 256 > 2_048) throw new Error("answers nothing");
    stream.window += 256;
  }
}
