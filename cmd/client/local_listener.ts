import { formatAuthority } from "../../lib/onion/mod.ts";
import type { Destination, OnionStream } from "../../lib/onion/mod.ts";
import { CommandError } from "../errors.ts";

/** A port of this machine that programs connect to. */
export interface LocalListener {
  /** `host:port`. */
  readonly address: string;
  readonly port: number;
  /** Programs that are connected. */
  readonly connections: number;
  /** Drops all of them and waits until nobody is served any more. */
  close(): Promise<void>;
}

/** What is done with those who come. */
export interface LocalService {
  /** Connections at once; those beyond are closed as they come. */
  readonly most: number;
  serve(connection: OnionStream): Promise<void>;
  /** Told why a connection could not be taken. */
  failed(error: unknown): void;
}

/** After a connection that could not be taken, in milliseconds. */
const PAUSE = 50;

/**
 * Listens for programs on this machine, or near it.
 *
 * @throws {CommandError} if the port is taken or the address is none of this machine's.
 */
export function listenLocally(
  at: Destination,
  service: LocalService,
): LocalListener {
  const listener = openListener(at);
  const { port } = listener.addr as Deno.NetAddr;
  const open = new Map<Deno.TcpConn, Promise<void>>();

  function take(connection: Deno.TcpConn): void {
    if (open.size >= service.most) return connection.close();
    try {
      // Small writes leave at once.
      connection.setNoDelay(true);
    } catch {
      // It is gone already; reading will say so.
    }
    const serving = service.serve(connection).catch(service.failed)
      .finally(() => open.delete(connection));
    open.set(connection, serving);
  }

  const accepting = (async () => {
    for (;;) {
      try {
        take(await listener.accept());
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        service.failed(error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  })();

  return {
    address: formatAuthority({ host: at.host, port }),
    port,
    get connections() {
      return open.size;
    },
    async close() {
      listener.close();
      await accepting;
      const left = [...open.values()];
      for (const connection of open.keys()) drop(connection);
      await Promise.all(left);
    },
  };
}

function openListener(at: Destination): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: at.host, port: at.port });
  } catch (cause) {
    throw new CommandError(`Cannot listen on ${formatAuthority(at)}`, {
      cause,
    });
  }
}

/** Closes what may be closed at this moment by whoever serves it. */
function drop(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
