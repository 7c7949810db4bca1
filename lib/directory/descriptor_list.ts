import type { Bytes } from "../protocol/mod.ts";
import { sha256 } from "../protocol/mod.ts";
import type { RelayDescriptor } from "./descriptor.ts";
import { parseDescriptor } from "./descriptor.ts";

/** Descriptors verified at a time: enough to keep every processor busy. */
const AT_A_TIME = 32;

/**
 * Reads descriptors and verifies those that are not known already.
 *
 * @param known by digest in hexadecimal.
 * @returns all of them, by digest in hexadecimal.
 * @throws {MalformedError} if one is none.
 */
export async function parseDescriptors(
  encoded: readonly Bytes[],
  known: ReadonlyMap<string, RelayDescriptor>,
): Promise<Map<string, RelayDescriptor>> {
  const read = new Map<string, RelayDescriptor>();
  for (let at = 0; at < encoded.length; at += AT_A_TIME) {
    const some = encoded.slice(at, at + AT_A_TIME);
    const pairs = await Promise.all(some.map(async (bytes) => {
      const digest = (await sha256(bytes)).toHex();
      const descriptor = known.get(digest) ?? await parseDescriptor(bytes);
      return [digest, descriptor] as const;
    }));
    for (const [digest, each] of pairs) read.set(digest, each);
  }
  return read;
}
