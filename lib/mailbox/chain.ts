import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  CryptoError,
  hkdfSha256,
  importAead,
  open,
  seal,
  utf8,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { RatchetError } from "./ratchet_error.ts";

/** Length of a chain key in bytes. */
export const CHAIN_KEY_BYTES = 32;
/** Length of a message key in bytes: AES-256-GCM key ‖ nonce. */
export const MESSAGE_KEY_BYTES: number = AEAD_KEY_BYTES + AEAD_NONCE_BYTES;

/** Hard end of a chain: the number of a letter is a u32. */
const CHAIN_END = 0xffffffff;
const NO_SALT = new Uint8Array(0);
const INFO = utf8("sotto ratchet chain v1");

/** One direction between two turns of the ratchet (Double Ratchet §2.2). */
export interface Chain {
  /** 32 bytes; gives every message key from number `next` on, none before. */
  readonly key: Bytes;
  /** Number of the next letter. */
  readonly next: number;
}

/**
 * One step of the symmetric ratchet: the key of letter `chain.next` and the chain behind it. Chain
 * key, message key and nonce come out of one HKDF, because a call into WebCrypto costs more than
 * what it computes.
 *
 * @throws {RatchetError} `ERR_RATCHET_END` after 2^32 - 1 letters.
 */
export async function advance(
  chain: Chain,
): Promise<{ chain: Chain; messageKey: Bytes }> {
  if (chain.next >= CHAIN_END) {
    throw new RatchetError(
      "ERR_RATCHET_END",
      "Cannot advance a chain: its counter is at the end",
    );
  }
  const output = await hkdfSha256(
    chain.key,
    NO_SALT,
    INFO,
    CHAIN_KEY_BYTES + MESSAGE_KEY_BYTES,
  );
  return {
    chain: { key: output.slice(0, CHAIN_KEY_BYTES), next: chain.next + 1 },
    messageKey: output.slice(CHAIN_KEY_BYTES),
  };
}

/** Seals one letter. A message key seals once: its nonce is part of it. */
export async function sealLetter(
  messageKey: Bytes,
  plaintext: Bytes,
  associated: Bytes,
): Promise<Bytes> {
  return await seal(
    await importAead(messageKey.slice(0, AEAD_KEY_BYTES)),
    messageKey.slice(AEAD_KEY_BYTES),
    plaintext,
    associated,
  );
}

/**
 * Inverse of `sealLetter`.
 *
 * @throws {RatchetError} `ERR_RATCHET_UNOPENED` if anything differs.
 */
export async function openSealed(
  messageKey: Bytes,
  sealed: Bytes,
  associated: Bytes,
): Promise<Bytes> {
  const key = await importAead(messageKey.slice(0, AEAD_KEY_BYTES));
  try {
    return await open(
      key,
      messageKey.slice(AEAD_KEY_BYTES),
      sealed,
      associated,
    );
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new RatchetError(
      "ERR_RATCHET_UNOPENED",
      "Cannot open a letter: it does not authenticate",
      { cause },
    );
  }
}
