import { createHash } from "node:crypto";
import { PIECE_BYTES } from "../../lib/transfer/pieces.ts";
import { bareBody, RecordCutter } from "../transfer/record_cutter.ts";

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
export class TransferProxy {
  readonly seen: Seen[] = [];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #upstream: number;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #carrying = new Set<Promise<void>>();
  readonly #serving: Promise<void>;

  /** `upstream` is the server's port on this machine. */
  constructor(upstream: number) {
    this.#upstream = upstream;
    this.#serving = this.#serve();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#serving;
    for (const connection of this.#open) this.#close(connection);
    await Promise.all(this.#carrying);
  }

  async #serve(): Promise<void> {
    for await (const client of this.#listener) {
      const carrying = this.#carry(client)
        .finally(() => this.#carrying.delete(carrying));
      this.#carrying.add(carrying);
    }
  }

  async #carry(client: Deno.TcpConn): Promise<void> {
    this.#open.add(client);
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({
        hostname: "127.0.0.1",
        port: this.#upstream,
      });
    } catch {
      return this.#close(client); // The server is not there.
    }
    this.#open.add(server);
    const witness = new Witness();
    this.seen.push(witness.seen);
    await Promise.all([
      this.#pump(client, server, (bytes) => witness.look(bytes)),
      this.#pump(server, client, () => {}),
    ]);
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    look: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const buffer = new Uint8Array(262_144);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        for (let at = 0; at < count;) {
          at += await to.write(buffer.subarray(at, count));
        }
        look(buffer.subarray(0, count));
      }
    } catch {
      // One of the two is gone.
    }
    this.#close(from);
    this.#close(to);
  }

  #close(connection: Deno.TcpConn): void {
    if (!this.#open.delete(connection)) return;
    connection.close();
  }
}

/** Puts the pieces of one connection together again. A last, shorter piece of a blob is not seen. */
class Witness {
  readonly seen: Seen = { openedAt: performance.now(), pieces: [], bytes: 0 };
  readonly #cutter = new RecordCutter();
  #hash = createHash("sha256");
  #length = 0;

  look(bytes: Uint8Array): void {
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
