import type { OnionStream } from "../stream/opener.ts";

/**
 * Opens a TCP connection to an IP address, whose small writes leave at once.
 *
 * Rejects with the system's error; when `signal` fires, with an `AbortError`.
 */
export async function dialTcp(
  ip: string,
  port: number,
  signal: AbortSignal,
): Promise<OnionStream> {
  const connection = await Deno.connect({ hostname: ip, port, signal });
  // Nagle's algorithm would hold every small write back for up to 40 ms.
  connection.setNoDelay(true);
  connection.setKeepAlive(true);
  return connection;
}
