import { concat } from "../../lib/protocol/mod.ts";
import type { Bytes, ByteStream } from "../../lib/protocol/mod.ts";
import { RecordCutter } from "./record_cutter.ts";
import type { Unit } from "./record_cutter.ts";

/**
 * What becomes of a bare record on its way: what goes on in its place. `index` counts the bare
 * records of this direction from 0.
 */
export type BareEdit = (unit: Unit, index: number) => Bytes;

/** Somebody on the way of one connection, who can alter what is bare and counts it. */
export class AlteringWay {
  /** Bytes of bare records that were sent here, as they were given. */
  up = 0;
  /** Bytes of bare records that came, before they were altered. */
  down = 0;
  readonly #edits: { readonly up?: BareEdit; readonly down?: BareEdit };

  constructor(edits: { readonly up?: BareEdit; readonly down?: BareEdit }) {
    this.#edits = edits;
  }

  readonly through = (stream: ByteStream): ByteStream => {
    const [up, down] = [new RecordCutter(), new RecordCutter()];
    let [sent, got] = [0, 0];
    let waiting: Bytes = new Uint8Array(0);
    return {
      write: async (bytes) => {
        for (const unit of up.push(bytes)) {
          if (unit.kind === "bare") this.up += unit.bytes.length - 4;
          await writeAll(
            stream,
            unit.kind === "bare"
              ? this.#edits.up?.(unit, sent++) ?? unit.bytes
              : unit.bytes,
          );
        }
        return bytes.length;
      },
      read: async (buffer) => {
        while (waiting.length === 0) {
          const part = new Uint8Array(65_536);
          const count = await stream.read(part);
          if (count === null) return null;
          for (const unit of down.push(part.subarray(0, count))) {
            if (unit.kind === "bare") this.down += unit.bytes.length - 4;
            waiting = concat(
              waiting,
              unit.kind === "bare"
                ? this.#edits.down?.(unit, got++) ?? unit.bytes
                : unit.bytes,
            );
          }
        }
        const count = Math.min(buffer.length, waiting.length);
        buffer.set(waiting.subarray(0, count));
        waiting = waiting.slice(count);
        return count;
      },
      close: () => stream.close(),
    };
  };
}

/** The record with one bit of its body turned around. */
export function flipped({ bytes }: Unit): Bytes {
  const copy = bytes.slice();
  copy[copy.length - 1]! ^= 1;
  return copy;
}

async function writeAll(stream: ByteStream, bytes: Bytes): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await stream.write(bytes.subarray(at));
  }
}
