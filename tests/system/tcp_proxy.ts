/** What somebody on the way does to one connection. */
export interface Passing {
  /**
   * Looks at bytes that have come.
   *
   * @returns how many of them go on; if not all, the connection is cut behind them.
   */
  look(bytes: Uint8Array, direction: "up" | "down"): number;
}

/** A proxy before a server on this machine: every connection has a `Passing` of its own. */
export class TcpProxy {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #upstream: number;
  readonly #passing: () => Passing;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #carrying = new Set<Promise<void>>();
  readonly #serving: Promise<void>;

  /** `upstream` is the server's port. */
  constructor(upstream: number, passing: () => Passing) {
    this.#upstream = upstream;
    this.#passing = passing;
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
    const passing = this.#passing();
    await Promise.all([
      this.#pump(client, server, (bytes) => passing.look(bytes, "up")),
      this.#pump(server, client, (bytes) => passing.look(bytes, "down")),
    ]);
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    look: (bytes: Uint8Array) => number,
  ): Promise<void> {
    const buffer = new Uint8Array(262_144);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        const goes = look(buffer.subarray(0, count));
        for (let at = 0; at < goes;) {
          at += await to.write(buffer.subarray(at, goes));
        }
        if (goes < count) break;
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
