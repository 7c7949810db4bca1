import type { ByteStream } from "../../lib/protocol/mod.ts";

/** Two ends of a connection in memory: what one writes the other reads, whole or in small pieces. */
export function pipe(piece = 65_536): [ByteStream, ByteStream] {
  const there = queue(piece);
  const back = queue(piece);
  return [end(there, back), end(back, there)];
}

interface Queue {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): void;
  close(): void;
}

function queue(piece: number): Queue {
  const waiting: number[] = [];
  let closed = false;
  let wake = () => {};
  return {
    async read(buffer) {
      while (waiting.length === 0) {
        if (closed) return null;
        await new Promise<void>((resolve) => wake = resolve);
      }
      const taken = waiting.splice(0, Math.min(piece, buffer.length));
      buffer.set(taken);
      return taken.length;
    },
    write(bytes) {
      for (const byte of bytes) waiting.push(byte);
      wake();
    },
    close() {
      closed = true;
      wake();
    },
  };
}

function end(input: Queue, output: Queue): ByteStream {
  return {
    read: (buffer) => input.read(buffer),
    write(bytes) {
      output.write(bytes);
      return Promise.resolve(bytes.length);
    },
    close() {
      input.close();
      output.close();
    },
  };
}
