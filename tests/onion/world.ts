import type { ExitDialer } from "../../lib/onion/exit/exit.ts";
import type { OnionStream } from "../../lib/onion/stream/opener.ts";
import { StreamError } from "../../lib/onion/stream/stream_error.ts";
import { writeAll } from "../../lib/protocol/mod.ts";
import { tcpPair } from "./tcp_pair.ts";
import type { TcpEnd } from "./tcp_pair.ts";

/** What a server does with a connection. */
export type Serve = (connection: TcpEnd) => Promise<void>;

/** Bytes that a source sends: each is the number of its place, modulo 251. */
export function sourceBytes(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) % 251);
}

/** As many bytes as come round to the first again. */
const BLOCK = sourceBytes(0, 251 * 128);

/** The world behind an exit, in memory: servers by name. */
export class World implements ExitDialer {
  /** What was connected to, as `host:port`. */
  readonly dialled: string[] = [];
  /** The servers' ends of all connections. */
  readonly connections: TcpEnd[] = [];
  /** Bytes that a server has received in all. */
  received = 0;
  /** Servers that a test has added. */
  readonly servers = new Map<string, Serve>();
  readonly #running = new Set<Promise<void>>();

  constructor() {
    this.servers.set("echo", (connection) => this.#echo(connection));
    this.servers.set("swallow", (connection) => this.#swallow(connection));
    this.servers.set("source", source);
    this.servers.set("silent", () => Promise.resolve());
  }

  connect(host: string, port: number): Promise<OnionStream> {
    this.dialled.push(`${host}:${port}`);
    const serve = this.servers.get(host);
    if (serve === undefined) {
      return Promise.reject(
        new StreamError("refused", "Cannot connect: refused"),
      );
    }
    const [near, far] = tcpPair();
    this.connections.push(far);
    const running = serve(far).catch(() => {/* the exit hung up */})
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
    return Promise.resolve(near);
  }

  resolve(name: string): Promise<readonly string[]> {
    return name === "echo"
      ? Promise.resolve(["192.0.2.80", "2001:db8::80"])
      : Promise.reject(new StreamError("resolve-failed", "Cannot resolve"));
  }

  /** Breaks what is open, and resolves when every server is done. */
  async stop(): Promise<void> {
    for (const connection of this.connections) connection.reset();
    await Promise.all(this.#running);
  }

  async #echo(connection: TcpEnd): Promise<void> {
    const buffer = new Uint8Array(16_000);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) break;
      this.received += count;
      await writeAll(connection, buffer.subarray(0, count));
    }
    await connection.closeWrite();
  }

  async #swallow(connection: TcpEnd): Promise<void> {
    const buffer = new Uint8Array(16_000);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) break;
      this.received += count;
    }
    await connection.closeWrite();
  }
}

/** Sends without end. */
async function source(connection: TcpEnd): Promise<void> {
  for (;;) await writeAll(connection, BLOCK);
}
