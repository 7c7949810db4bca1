import type { Bytes } from "../../protocol/mod.ts";
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  concat,
  CryptoError,
  hkdfSha256,
  hmacSha256,
  importAead,
  open,
  seal,
  utf8,
} from "../../protocol/mod.ts";
import { DROP_ID_BYTES } from "../sizes.ts";

/** Who of the two wrote a message. */
export const Direction = {
  /** The one who called. */
  CALLER: 0,
  /** The one who was called. */
  CALLEE: 1,
} as const;
/** One of the numbers in `Direction`. */
export type Direction = typeof Direction[keyof typeof Direction];

const DROP = utf8("drop");
const SEAL = utf8("seal");
const MESSAGE = utf8("sotto mix message v1");
/** Each key seals one message: one round, one direction, one generation. */
const NONCE = new Uint8Array(AEAD_NONCE_BYTES);

/** Where the two meet in a round, 16 bytes. */
export async function dropOf(roundKey: Bytes): Promise<Bytes> {
  return (await hmacSha256(roundKey, DROP)).slice(0, DROP_ID_BYTES);
}

/** What the keys of a round's two messages are made of besides the generation, 32 bytes. */
export function sealBase(roundKey: Bytes): Promise<Bytes> {
  return hmacSha256(roundKey, SEAL);
}

/**
 * Seals the one message that goes in that direction in a round.
 *
 * @param base of the round.
 * @param secret of the generation, 32 bytes.
 * @param message 480 bytes.
 * @returns 496 bytes.
 */
export async function sealInRound(
  base: Bytes,
  secret: Bytes,
  direction: Direction,
  message: Bytes,
): Promise<Bytes> {
  return await seal(await messageKey(base, secret, direction), NONCE, message);
}

/** Inverse of `sealInRound`; nothing if it was not sealed so, or was altered. */
export async function openInRound(
  base: Bytes,
  secret: Bytes,
  direction: Direction,
  sealed: Bytes,
): Promise<Bytes | undefined> {
  try {
    return await open(await messageKey(base, secret, direction), NONCE, sealed);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    return undefined;
  }
}

async function messageKey(
  base: Bytes,
  secret: Bytes,
  direction: Direction,
): Promise<CryptoKey> {
  const info = concat(MESSAGE, Uint8Array.of(direction));
  return await importAead(
    await hkdfSha256(base, secret, info, AEAD_KEY_BYTES),
  );
}
