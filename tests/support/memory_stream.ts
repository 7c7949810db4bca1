import type { Bytes, ByteStream } from "../../lib/protocol/mod.ts";
import { concat } from "../../lib/protocol/mod.ts";

/**
 * What becomes of one record on its way: the records that go on in its place, none to hold or drop
 * it. `index` counts the records of this direction from 0.
 */
export type RecordEdit = (record: Bytes, index: number) => readonly Bytes[];

/** How one direction of a connection in memory behaves; without anything, like a quiet loopback. */
export interface Passage {
  /** Most bytes that one read gives. */
  readonly readAtMost?: number;
  /** Most bytes that one write takes. */
  readonly writeAtMost?: number;
  /** Bytes on the way beyond which a write waits, as in a socket's buffers. */
  readonly capacity?: number;
  /** Awaited before every read and every write. */
  readonly delay?: () => Promise<void>;
  /** Sees every record (4 bytes of length, then as many bytes) and decides what becomes of it. */
  readonly edit?: RecordEdit;
}

/** One end of a connection in memory. It fails in the ways in which `Deno.Conn` fails. */
export interface MemoryEnd extends ByteStream {
  /** Bytes that were written here and that the other end has not read yet. */
  readonly unread: number;
  /** Whether `close` was called. */
  readonly closed: boolean;
}

/** Two ends of a connection in memory, and what somebody on the way can do to it. */
export interface MemoryConnection {
  readonly left: MemoryEnd;
  readonly right: MemoryEnd;
  /** Ends both directions as an orderly end of the connection would: what was written can be read. */
  cut(): void;
  /** Breaks the connection: what is on the way is lost. */
  reset(): void;
}

const CAPACITY = 256 * 1_024;

/** Joins two ends; `rightward` is the direction from `left` to `right`. */
export function memoryConnection(
  { rightward = {}, leftward = {} }: {
    rightward?: Passage;
    leftward?: Passage;
  } = {},
): MemoryConnection {
  const [there, back] = [new Direction(rightward), new Direction(leftward)];
  return {
    left: new End(back, there),
    right: new End(there, back),
    cut() {
      there.end();
      back.end();
    },
    reset() {
      there.break();
      back.break();
    },
  };
}

class End implements MemoryEnd {
  readonly #incoming: Direction;
  readonly #outgoing: Direction;
  closed = false;

  constructor(incoming: Direction, outgoing: Direction) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  get unread(): number {
    return this.#outgoing.length;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#incoming.read(buffer, () => this.closed);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#outgoing.write(bytes, () => this.closed);
  }

  close(): void {
    if (this.closed) throw new Deno.errors.BadResource("Bad resource ID");
    this.closed = true;
    this.#outgoing.end();
    this.#incoming.abandon();
  }
}

/** One direction: a queue of bytes with a reader who waits for some and a writer who waits for room. */
class Direction {
  readonly #passage: Passage;
  #parts: Bytes[] = [];
  length = 0;
  #ended = false;
  #broken = false;
  #abandoned = false;
  /** Bytes of a record that is not whole yet. */
  #partial: Bytes = new Uint8Array(0);
  #records = 0;
  #wake: (() => void)[] = [];

  constructor(passage: Passage) {
    this.#passage = passage;
  }

  async read(
    buffer: Uint8Array,
    closed: () => boolean,
  ): Promise<number | null> {
    if (closed()) throw new Deno.errors.BadResource("Bad resource ID");
    await this.#passage.delay?.();
    for (;;) {
      if (closed()) throw new Deno.errors.Interrupted("operation canceled");
      if (this.#broken) throw new Deno.errors.ConnectionReset("reset by peer");
      if (this.length > 0) break;
      if (this.#ended) return null;
      await this.#change();
    }
    const first = this.#parts[0]!;
    const { readAtMost = Infinity } = this.#passage;
    const count = Math.min(first.length, buffer.length, readAtMost);
    buffer.set(first.subarray(0, count));
    if (count === first.length) this.#parts.shift();
    else this.#parts[0] = first.subarray(count);
    this.length -= count;
    this.#changed();
    return count;
  }

  async write(bytes: Uint8Array, closed: () => boolean): Promise<number> {
    if (closed()) throw new Deno.errors.BadResource("Bad resource ID");
    await this.#passage.delay?.();
    const { capacity = CAPACITY, writeAtMost = Infinity } = this.#passage;
    for (;;) {
      if (closed()) throw new Deno.errors.Interrupted("operation canceled");
      if (this.#broken) throw new Deno.errors.ConnectionReset("reset by peer");
      if (this.#abandoned || this.#ended) {
        throw new Deno.errors.BrokenPipe("broken pipe");
      }
      if (this.length < capacity) break;
      await this.#change();
    }
    const room = capacity - this.length;
    const count = Math.min(bytes.length, writeAtMost, room);
    const taken = new Uint8Array(bytes.subarray(0, count));
    if (this.#passage.edit === undefined) this.#append(taken);
    else this.#pass(taken, this.#passage.edit);
    return count;
  }

  end(): void {
    this.#ended = true;
    this.#changed();
  }

  abandon(): void {
    this.#abandoned = true;
    this.#changed();
  }

  break(): void {
    this.#broken = true;
    this.#changed();
  }

  #pass(bytes: Bytes, edit: RecordEdit): void {
    this.#partial = concat(this.#partial, bytes);
    while (this.#partial.length >= 4) {
      // The highest bit says that the body is bare.
      const word = new DataView(this.#partial.buffer).getUint32(0);
      const length = 4 + (word & 0x7fff_ffff);
      if (this.#partial.length < length) return;
      const record = this.#partial.slice(0, length);
      this.#partial = this.#partial.slice(length);
      for (const each of edit(record, this.#records++)) this.#append(each);
    }
  }

  #append(bytes: Bytes): void {
    if (bytes.length === 0) return;
    this.#parts.push(bytes);
    this.length += bytes.length;
    this.#changed();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
