import { decodeBase32, encodeBase32 } from "@std/encoding";
import type { Bytes } from "../protocol/mod.ts";
import { HASH_BYTES, MalformedError } from "../protocol/mod.ts";

/** 32 bytes are 52 characters of base32 and 4 of padding. */
const CHARACTERS = 52;
const PADDING = "====";

/**
 * 32 bytes as people see and compare them: base32 (RFC 4648 §6), lower case, no padding, 13 groups of
 * four characters. With `separator` "" it is one word of 52 characters, for addresses and files.
 */
export function formatFingerprint(digest: Bytes, separator = " "): string {
  if (digest.length !== HASH_BYTES) {
    throw new RangeError(
      `Cannot show a fingerprint: ${digest.length} bytes, not ${HASH_BYTES}`,
    );
  }
  const characters = encodeBase32(digest).slice(0, CHARACTERS).toLowerCase();
  return characters.match(/.{4}/g)!.join(separator);
}

/**
 * Inverse of `formatFingerprint`, for what people type: white space, dashes and case do not count.
 *
 * @throws {MalformedError} if the rest is not exactly 52 characters of base32 that give 32 bytes.
 */
export function parseFingerprint(text: string): Bytes {
  const characters = text.replace(/[\s-]/g, "").toUpperCase();
  if (characters.length !== CHARACTERS || !/^[A-Z2-7]*$/.test(characters)) {
    throw new MalformedError(
      `Cannot read a fingerprint: it is not ${CHARACTERS} of a-z and 2-7`,
    );
  }
  const digest = decodeBase32(characters + PADDING);
  // 52 characters carry 4 bits more than 32 bytes; were they ignored, 16 spellings would be one.
  if (encodeBase32(digest) !== characters + PADDING) {
    throw new MalformedError(
      "Cannot read a fingerprint: its last character is wrong",
    );
  }
  return digest;
}
