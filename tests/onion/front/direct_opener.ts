import type {
  OnionStream,
  StreamOpener,
} from "../../../lib/onion/stream/opener.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import type { EndReason } from "../../../lib/onion/stream/stream_error.ts";

/** What a {@linkcode DirectOpener} was asked for. */
export interface Asked {
  readonly host: string;
  readonly port: number;
  readonly isolation: string;
}

/**
 * Stands in for the onion: dials by itself. Names are looked up in a table, so that a test sees that
 * nobody else has resolved them; what is not in it goes where `hosts[""]` says, or does not resolve.
 */
export class DirectOpener implements StreamOpener {
  /** In order. */
  readonly asked: Asked[] = [];
  /** Streams that are open now. */
  readonly streams = new Set<OnionStream>();
  readonly hosts: Record<string, string>;
  /** Fails every attempt with this reason. */
  fails: EndReason | undefined;
  /** Awaited before an attempt is made. */
  before: (signal: AbortSignal | undefined) => Promise<void> = async () => {};

  constructor(hosts: Record<string, string> = {}) {
    this.hosts = hosts;
  }

  async open(
    host: string,
    port: number,
    isolation: string,
    signal?: AbortSignal,
  ): Promise<OnionStream> {
    this.asked.push({ host, port, isolation });
    await this.before(signal);
    if (this.fails !== undefined) throw new StreamError(this.fails, "Cannot");
    const hostname = this.#find(host);
    let connection: Deno.TcpConn;
    try {
      connection = await Deno.connect({ hostname, port });
    } catch (cause) {
      throw new StreamError("refused", "Cannot connect", { cause });
    }
    connection.setNoDelay(true);
    const stream: OnionStream = {
      read: (buffer) => connection.read(buffer),
      write: (bytes) => connection.write(bytes),
      closeWrite: () => connection.closeWrite(),
      close: () => {
        if (this.streams.delete(stream)) connection.close();
      },
    };
    this.streams.add(stream);
    return stream;
  }

  resolve(name: string, isolation: string): Promise<readonly string[]> {
    this.asked.push({ host: name, port: 0, isolation });
    if (this.fails !== undefined) {
      return Promise.reject(new StreamError(this.fails, "Cannot resolve"));
    }
    return Promise.resolve(this.#find(name).split(" "));
  }

  #find(host: string): string {
    const isAddress = /^[0-9.]+$|:/.test(host);
    const found = this.hosts[host] ?? (isAddress ? host : this.hosts[""]);
    if (found === undefined) {
      throw new StreamError("resolve-failed", "Cannot resolve");
    }
    return found;
  }
}
