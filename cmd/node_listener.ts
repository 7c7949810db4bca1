import { formatFingerprint, formatServerAddress } from "../lib/identity/mod.ts";
import type { ServerAddress } from "../lib/identity/mod.ts";
import { listen } from "../lib/net/mod.ts";
import type { Incoming, Listener, ListenerLimits } from "../lib/net/mod.ts";
import type { Bytes } from "../lib/protocol/mod.ts";
import { CommandError } from "./errors.ts";
import type { Io } from "./io.ts";

/**
 * Listens for a node.
 *
 * @throws {CommandError} if it cannot be listened there.
 */
export function openListener(
  { host, port }: ServerAddress,
  limits: ListenerLimits,
  accept: (incoming: Incoming) => Promise<void>,
  failed: (error: unknown) => void,
): Listener {
  try {
    return listen({ hostname: host, port }, limits, accept, failed);
  } catch (cause) {
    throw new CommandError(
      `Cannot listen on ${formatServerAddress({ host, port })}`,
      { cause },
    );
  }
}

/** Says where a node listens, and what others call it. */
export async function announceNode(
  io: Io,
  { hostname: host, port }: Listener,
  fingerprint: Bytes,
): Promise<void> {
  await io.stdout.write(
    `listening on ${formatServerAddress({ host, port })}\n` +
      `fingerprint  ${formatFingerprint(fingerprint)}\n` +
      `address      ${formatServerAddress({ host, port, fingerprint })}\n`,
  );
}
