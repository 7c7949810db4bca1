import type { OnionStream } from "../../lib/onion/stream/opener.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";

/** Bytes on the way beyond which a write waits. */
const CAPACITY = 65_536;

/** Two ends of a TCP connection in memory, with both directions closed apart. */
export function tcpPair(): [TcpEnd, TcpEnd] {
  const [there, back] = [new Pipe(), new Pipe()];
  return [new TcpEnd(back, there), new TcpEnd(there, back)];
}

/** One end. */
export class TcpEnd implements OnionStream {
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;
  /** Whether `close` was called. */
  closed = false;

  constructor(incoming: Pipe, outgoing: Pipe) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#incoming.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#outgoing.write(bytes);
  }

  closeWrite(): Promise<void> {
    this.#outgoing.end();
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.#outgoing.end();
    this.#incoming.break();
  }

  /** Breaks both directions, as a reset does. */
  reset(): void {
    this.closed = true;
    this.#outgoing.break();
    this.#incoming.break();
  }
}

/** One direction. */
class Pipe {
  readonly #parts: Bytes[] = [];
  #length = 0;
  #ended = false;
  #broken = false;
  #wake: (() => void)[] = [];

  async read(buffer: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#broken) throw new Deno.errors.ConnectionReset("reset by peer");
      if (this.#parts.length > 0) break;
      if (this.#ended) return null;
      await this.#change();
    }
    const first = this.#parts[0]!;
    const count = Math.min(first.length, buffer.length);
    buffer.set(first.subarray(0, count));
    if (count === first.length) this.#parts.shift();
    else this.#parts[0] = first.subarray(count);
    this.#length -= count;
    this.#changed();
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    while (this.#length >= CAPACITY && !this.#broken && !this.#ended) {
      await this.#change();
    }
    if (this.#broken || this.#ended) {
      throw new Deno.errors.BrokenPipe("broken pipe");
    }
    const count = Math.min(bytes.length, CAPACITY - this.#length);
    this.#parts.push(new Uint8Array(bytes.subarray(0, count)));
    this.#length += count;
    this.#changed();
    return count;
  }

  end(): void {
    this.#ended = true;
    this.#changed();
  }

  break(): void {
    this.#broken = true;
    this.#parts.length = 0;
    this.#changed();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
