import type { ByteStream } from "../protocol/mod.ts";
import { refuse } from "../protocol/mod.ts";
import { addressGroup } from "./address_group.ts";
import { TokenBuckets } from "./token_bucket.ts";
import type { BucketRate } from "./token_bucket.ts";

/** What a listener takes on. */
export interface ListenerLimits {
  /** Connections at once. */
  readonly connections: number;
  /** Connections at once from one address (of IPv6: from one /64). */
  readonly perAddress: number;
  /** New connections from one address. */
  readonly rate: BucketRate;
}

/** 20,000 connections, 256 from one address, 50 new ones a second. */
export const DEFAULT_LISTENER_LIMITS: ListenerLimits = {
  connections: 20_000,
  perAddress: 256,
  rate: { perSecond: 50, burst: 500 },
};

/** A connection that has come in. */
export interface Incoming extends ByteStream {
  /** The group that the other side's address belongs to (see `addressGroup`). */
  readonly group: string;
  /** The other side's address itself, for nobody but the other side. */
  readonly hostname: string;
  /**
   * Closes the connection after `milliseconds` unless this is called again before; 0 lifts it.
   */
  deadline(milliseconds: number): void;
}

/** A listener that is open. */
export interface Listener {
  /** The address that is listened on. */
  readonly hostname: string;
  /** The port that is listened on. */
  readonly port: number;
  /** How many connections are open. */
  readonly connections: number;
  /** Takes no more connections; those that are open go on. */
  stop(): void;
  /** Drops every connection that is open, and resolves when all of their handlers are done. */
  close(): Promise<void>;
}

/** How connections are refused that are over a limit, in seconds to wait. */
const BUSY_RETRY = 30;

/**
 * Listens on a TCP port (0: any free one) and hands every connection within the limits to `handle`;
 * the connection is closed when the promise of `handle` settles. What `handle` throws goes to
 * `failed` and harms nobody else.
 *
 * @throws {Deno.errors.AddrInUse} if the port is taken.
 */
export function listen(
  at: { readonly hostname: string; readonly port: number },
  limits: ListenerLimits,
  handle: (incoming: Incoming) => Promise<void>,
  failed: (error: unknown) => void,
): Listener {
  const listener = Deno.listen(at);
  const { hostname, port } = listener.addr as Deno.NetAddr;
  const open = new Map<TcpIncoming, Promise<void>>();
  const perAddress = new Map<string, number>();
  const buckets = new TokenBuckets(limits.rate);

  function admit(incoming: TcpIncoming): string | undefined {
    if (open.size >= limits.connections) return "busy";
    if ((perAddress.get(incoming.group) ?? 0) >= limits.perAddress) {
      return "too-many-connections";
    }
    return buckets.take(incoming.group, performance.now()) > 0
      ? "too-fast"
      : undefined;
  }

  async function serve(incoming: TcpIncoming): Promise<void> {
    const { group } = incoming;
    perAddress.set(group, (perAddress.get(group) ?? 0) + 1);
    try {
      await handle(incoming);
    } catch (error) {
      failed(error);
    } finally {
      incoming.close();
      open.delete(incoming);
      const left = perAddress.get(group)! - 1;
      if (left === 0) perAddress.delete(group);
      else perAddress.set(group, left);
    }
  }

  async function turnAway(incoming: TcpIncoming, why: string): Promise<void> {
    try {
      await refuse(incoming, why, BUSY_RETRY);
    } catch {
      // Whoever is turned away may have left already.
    }
    incoming.close();
  }

  const accepting = (async () => {
    for (;;) {
      let connection: Deno.TcpConn;
      try {
        connection = await listener.accept();
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        // Out of file descriptors, or gone before it was taken: wait a little and go on.
        failed(error);
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      const incoming = new TcpIncoming(connection);
      const why = admit(incoming);
      if (why === undefined) open.set(incoming, serve(incoming));
      else turnAway(incoming, why);
    }
  })();

  let stopped = false;
  function stop(): void {
    if (stopped) return;
    stopped = true;
    listener.close();
  }

  return {
    hostname,
    port,
    get connections() {
      return open.size;
    },
    stop,
    async close() {
      stop();
      await accepting;
      const done = [...open.values()];
      for (const incoming of open.keys()) incoming.close();
      await Promise.all(done);
    },
  };
}

class TcpIncoming implements Incoming {
  readonly group: string;
  readonly hostname: string;
  readonly #connection: Deno.TcpConn;
  /** Not moved at every `deadline`, which is called for every message: it looks again when it fires. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #firesAt = Infinity;
  #closesAt = Infinity;
  #closed = false;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.hostname = (connection.remoteAddr as Deno.NetAddr).hostname;
    this.group = addressGroup(this.hostname);
    try {
      connection.setNoDelay(true);
    } catch {
      // The other side has reset the connection already; the first read will say so.
    }
  }

  read(buffer: Uint8Array): Promise<number | null> {
    return this.#connection.read(buffer);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#connection.write(bytes);
  }

  deadline(milliseconds: number): void {
    if (this.#closed) return;
    this.#closesAt = milliseconds === 0
      ? Infinity
      : performance.now() + milliseconds;
    if (this.#closesAt < this.#firesAt) this.#arm();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#connection.close();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    this.#firesAt = this.#closesAt;
    const left = Math.max(0, this.#closesAt - performance.now());
    this.#timer = setTimeout(() => this.#look(), left);
  }

  #look(): void {
    this.#firesAt = Infinity;
    if (performance.now() >= this.#closesAt) this.close();
    else if (this.#closesAt < Infinity) this.#arm();
  }
}
