import { ClientConnection } from "../front/client_connection.ts";
import { joinStreams } from "../front/join_streams.ts";
import type { OnionStream } from "../stream/opener.ts";

/** A stream as a socket. */
export interface LoopbackBridge {
  /** Our end of it. */
  readonly connection: Deno.TcpConn;
  /** Resolves when both ends are closed, with what broke the stream if something did. */
  readonly ended: Promise<unknown>;
}

/**
 * Makes a socket of a stream, for what the platform does with sockets only: TLS. The socket is a
 * connection to ourselves over loopback; whoever else connects in that moment is dropped.
 */
export async function bridge(stream: OnionStream): Promise<LoopbackBridge> {
  const [connection, other] = await socketPair();
  const ended = joinStreams(new ClientConnection(other), stream)
    .then(() => undefined, (error) => error);
  return { connection, ended };
}

async function socketPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const ours = await Deno.connect({ hostname: "127.0.0.1", port });
  const from = (ours.localAddr as Deno.NetAddr).port;
  for (;;) {
    const other = await listener.accept();
    if ((other.remoteAddr as Deno.NetAddr).port !== from) {
      other.close();
      continue;
    }
    ours.setNoDelay(true);
    other.setNoDelay(true);
    return [ours, other];
  }
}
