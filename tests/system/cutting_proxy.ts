/** A proxy between clients and a server that cuts connections wherever a test wants. */
export class CuttingProxy {
  readonly #listener: Deno.TcpListener;
  readonly #upstream: number;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #serving: Promise<void>;
  readonly #pumps = new Set<Promise<void>>();
  /** How many bytes the next connection may carry, both ways together, before it is cut. */
  budget: () => number = () => Infinity;
  /** How many connections were cut because their budget was used up. */
  cuts = 0;

  /** `upstream` is the server's port on this machine. */
  constructor(upstream: number) {
    this.#upstream = upstream;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#serving = this.#serve();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  /** Cuts every connection, wherever it is. */
  cutAll(): void {
    for (const connection of this.#open) this.#close(connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#serving;
    this.cutAll();
    await Promise.all(this.#pumps);
  }

  async #serve(): Promise<void> {
    for await (const client of this.#listener) {
      const carrying = this.#carry(client).finally(() =>
        this.#pumps.delete(carrying)
      );
      this.#pumps.add(carrying);
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
    let left = this.budget();
    const pump = async (from: Deno.TcpConn, to: Deno.TcpConn) => {
      const buffer = new Uint8Array(16_384);
      try {
        for (;;) {
          const count = await from.read(buffer);
          if (count === null) break;
          const allowed = Math.min(count, left);
          left -= allowed;
          let written = 0;
          while (written < allowed) {
            written += await to.write(buffer.subarray(written, allowed));
          }
          if (left > 0) continue;
          this.cuts++;
          break;
        }
      } catch {
        // One of the two is gone.
      }
      this.#close(from);
      this.#close(to);
    };
    await Promise.all([pump(client, server), pump(server, client)]);
  }

  #close(connection: Deno.TcpConn): void {
    if (!this.#open.delete(connection)) return;
    connection.close();
  }
}
