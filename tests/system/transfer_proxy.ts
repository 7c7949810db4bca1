import { createHash } from "node:crypto";
import { PIECE_BYTES } from "../../lib/transfer/pieces.ts";
import { bareBody, RecordCutter } from "../transfer/record_cutter.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import type { Passing } from "./tcp_proxy.ts";

/** A connection on which pieces went to the server. */
export interface Seen {
  /** When it was opened, as `performance.now` has it. */
  readonly openedAt: number;
  /** SHA-256 in hex of the pieces that passed whole, in their order. */
  readonly pieces: string[];
  /** Bytes of bare records to the server. */
  bytes: number;
}

/** A proxy before a server that notes which pieces pass: their bodies are bare, so that it can. */
export class TransferProxy extends TcpProxy {
  readonly seen: Seen[] = [];

  /** `upstream` is the server's port on this machine. */
  constructor(upstream: number) {
    super(upstream, () => {
      const witness = new Witness();
      this.seen.push(witness.seen);
      return witness;
    });
  }
}

/** Puts the pieces of one connection together again. A last, shorter piece of a blob is not seen. */
class Witness implements Passing {
  readonly seen: Seen = { openedAt: performance.now(), pieces: [], bytes: 0 };
  readonly #cutter = new RecordCutter();
  #hash = createHash("sha256");
  #length = 0;

  look(bytes: Uint8Array, direction: "up" | "down"): number {
    if (direction === "up") this.#note(bytes);
    return bytes.length;
  }

  #note(bytes: Uint8Array): void {
    for (const unit of this.#cutter.push(bytes)) {
      if (unit.kind !== "bare") {
        // Something sealed stands before every piece: the shorter one is over.
        this.#length = 0;
        this.#hash = createHash("sha256");
        continue;
      }
      const body = bareBody(unit);
      this.#hash.update(body);
      this.#length += body.length;
      this.seen.bytes += body.length;
      if (this.#length < PIECE_BYTES) continue;
      this.seen.pieces.push(this.#hash.digest("hex"));
      this.#length = 0;
      this.#hash = createHash("sha256");
    }
  }
}
