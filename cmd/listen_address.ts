import { parseServerAddress } from "../lib/identity/mod.ts";
import type { ServerAddress } from "../lib/identity/mod.ts";
import { describe, UsageError } from "./errors.ts";

/**
 * Where to listen, as `--listen` says it. Port 0 is any free one, which is no address to connect to.
 *
 * @throws {UsageError} if it is no address.
 */
export function parseListenAddress(text: string): ServerAddress {
  try {
    return text.endsWith(":0")
      ? { ...parseServerAddress(text.slice(0, -2)), port: 0 }
      : parseServerAddress(text);
  } catch (error) {
    throw new UsageError(describe(error), {
      hint: "--listen takes HOST:PORT, [IPV6]:PORT or HOST",
    });
  }
}
