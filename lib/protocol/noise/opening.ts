import type { Bytes } from "../bytes/bytes.ts";
import { concat, utf8 } from "../bytes/bytes.ts";
import { HASH_BYTES, sha256 } from "../crypto/hash.ts";

/** How many openings are kept. */
const KEPT = 256;

const kept = new Map<string, Opening>();

/** Where the two chains of a handshake begin; nothing in it is secret. */
export interface Opening {
  /** ck: the protocol's name as 32 bytes. */
  readonly chainingKey: Bytes;
  /** h, 32 bytes, after what both sides knew beforehand. */
  readonly hash: Bytes;
}

/**
 * The opening of a protocol between sides that know `said` beforehand: the prologue and static keys
 * (Noise rev 34 §5.3). It is the same in every handshake with one responder, so the latest are kept.
 */
export async function openingOf(
  protocolName: string,
  said: readonly Bytes[],
): Promise<Opening> {
  const name = [protocolName, ...said.map((each) => each.toHex())].join();
  const known = kept.get(name);
  if (known !== undefined) return known;
  const chainingKey = await hashOfName(protocolName);
  let hash = chainingKey;
  for (const each of said) hash = await sha256(concat(hash, each));
  const [oldest] = kept.keys();
  if (oldest !== undefined && kept.size >= KEPT) kept.delete(oldest);
  kept.set(name, { chainingKey, hash });
  return { chainingKey, hash };
}

/** Names of up to 32 bytes are padded with zeros, longer ones hashed (Noise rev 34 §5.2). */
async function hashOfName(protocolName: string): Promise<Bytes> {
  const name = utf8(protocolName);
  if (name.length > HASH_BYTES) return await sha256(name);
  const padded = new Uint8Array(HASH_BYTES);
  padded.set(name);
  return padded;
}
