import { assertEquals } from "@std/assert";
import type { FrontOptions } from "../../../lib/onion/front/front.ts";
import { Front } from "../../../lib/onion/front/front.ts";
import { concat, utf8, writeAll } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { DirectOpener } from "./direct_opener.ts";

/** A front on loopback, and what is behind it. */
export interface FrontServer {
  readonly opener: DirectOpener;
  readonly port: number;
  /** `127.0.0.1:PORT`. */
  readonly at: string;
  /** Clients that are being served. */
  readonly clients: ReadonlySet<Promise<void>>;
}

/** Runs `body` with a front; whatever is left open, and whatever went wrong inside, fails the test. */
export async function withFront(
  options: Partial<FrontOptions> & { hosts?: Record<string, string> },
  body: (server: FrontServer) => Promise<void>,
): Promise<void> {
  const { hosts = { "": "127.0.0.1" }, ...rest } = options;
  const opener = new DirectOpener(hosts);
  const failures: unknown[] = [];
  const front = new Front(opener, {
    failed: (error) => failures.push(error),
    ...rest,
  });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const clients = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const connection of listener) {
      connection.setNoDelay(true);
      const serving = front.serve(connection)
        .finally(() => clients.delete(serving));
      clients.add(serving);
    }
  })();
  try {
    await body({ opener, port, at: `127.0.0.1:${port}`, clients });
  } finally {
    listener.close();
    await accepting;
    await Promise.all(clients);
  }
  assertEquals(failures, []);
  assertEquals(opener.streams.size, 0, "streams were left open");
}

/** A web server on loopback for the time of `body`. */
export async function withWeb(
  handler: (request: Request) => Response | Promise<Response>,
  body: (port: number) => Promise<void>,
  hostname = "127.0.0.1",
): Promise<void> {
  const web = Deno.serve({ hostname, port: 0, onListen() {} }, handler);
  try {
    await body(web.addr.port);
  } finally {
    await web.shutdown();
  }
}

/** A server on loopback that treats every connection as `serve` says, for the time of `body`. */
export async function withTcp(
  serve: (connection: Deno.TcpConn) => Promise<void>,
  body: (port: number) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      serving.push(
        serve(connection).catch(() => {}).finally(() => {
          try {
            connection.close();
          } catch { /* closed by `serve` */ }
        }),
      );
    }
  })();
  try {
    await body((listener.addr as Deno.NetAddr).port);
  } finally {
    listener.close();
    await accepting;
    await Promise.all(serving);
  }
}

/** A client that says bytes as they are. */
export class RawClient {
  readonly connection: Deno.TcpConn;
  #rest: Bytes = new Uint8Array(0);

  constructor(connection: Deno.TcpConn) {
    this.connection = connection;
  }

  /** Connects, and closes when `body` is done. */
  static async run(
    port: number,
    body: (client: RawClient) => Promise<void>,
  ): Promise<void> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    try {
      await body(new RawClient(connection));
    } finally {
      try {
        connection.close();
      } catch { /* closed by `body` */ }
    }
  }

  async say(data: string | readonly number[] | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? utf8(data) : new Uint8Array(data);
    await writeAll(this.connection, bytes);
  }

  /** The next `count` bytes. */
  async hear(count: number): Promise<number[]> {
    while (this.#rest.length < count) {
      const more = await this.#read();
      if (more === null) break;
      this.#rest = concat(this.#rest, more);
    }
    const heard = this.#rest.slice(0, count);
    this.#rest = this.#rest.slice(count);
    return [...heard];
  }

  /** As text, until `pattern` is in it. */
  async hearUntil(pattern: RegExp): Promise<string> {
    for (;;) {
      const text = new TextDecoder().decode(this.#rest);
      const found = pattern.exec(text);
      if (found !== null) {
        const end = found.index + found[0].length;
        this.#rest = this.#rest.slice(utf8(text.slice(0, end)).length);
        return text.slice(0, end);
      }
      const more = await this.#read();
      if (more === null) throw new Error(`Ended before ${pattern}: ${text}`);
      this.#rest = concat(this.#rest, more);
    }
  }

  /** All that comes until the other side ends. */
  async hearAll(): Promise<string> {
    for (let more; (more = await this.#read()) !== null;) {
      this.#rest = concat(this.#rest, more);
    }
    const text = new TextDecoder().decode(this.#rest);
    this.#rest = new Uint8Array(0);
    return text;
  }

  async #read(): Promise<Bytes | null> {
    const buffer = new Uint8Array(65_536);
    try {
      const count = await this.connection.read(buffer);
      return count === null ? null : buffer.slice(0, count);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) return null;
      throw error;
    }
  }
}
