import { formatAuthority } from "../../lib/onion/mod.ts";
import type { Destination } from "../../lib/onion/mod.ts";
import { parseServerAddress } from "../../lib/identity/mod.ts";
import { UsageError } from "../errors.ts";

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/**
 * An address of this machine to listen on, as people write it: `PORT`, `HOST:PORT` or `[::1]:PORT`. It
 * is 127.0.0.1 unless another is named. Port 0 is any free one.
 *
 * @param allowRemote whether other machines may connect.
 * @throws {UsageError} if it is none, or others could connect who must not.
 */
export function parseLocalAddress(
  text: string,
  allowRemote: boolean,
): Destination {
  const parts = /^(?:(.*):)?(\d{1,5})$/.exec(text);
  const port = Number(parts?.[2]);
  if (parts === null || port > 65_535) throw notAnAddress(text);
  const host = hostOf(parts[1] ?? "127.0.0.1", text);
  if (!allowRemote && !LOOPBACK.test(host)) {
    throw new UsageError(
      `${formatAuthority({ host, port })} can be reached from other machines`,
      {
        hint:
          "whoever reaches it goes out through your circuits; --allow-remote if that is what you want",
      },
    );
  }
  return { host, port };
}

function hostOf(host: string, text: string): string {
  try {
    // The port does not matter here, and may be 0.
    return parseServerAddress(`${host}:1`).host;
  } catch {
    throw notAnAddress(text);
  }
}

function notAnAddress(text: string): UsageError {
  return new UsageError(`cannot listen on ${text}: it is no address and port`, {
    hint: 'a port, or an address and a port, as in "7680" or "[::1]:7680"',
  });
}
