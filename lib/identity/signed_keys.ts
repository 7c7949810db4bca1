import type { Bytes } from "../protocol/mod.ts";
import {
  concat,
  MalformedError,
  Reader,
  sign,
  SIGNATURE_BYTES,
  utf8,
  verify,
  Writer,
} from "../protocol/mod.ts";
import type { KeyPairs } from "./key_pairs.ts";
import { publicKeysOf } from "./key_pairs.ts";
import type { PublicKeys } from "./public_keys.ts";
import { readPublicKeys, writePublicKeys } from "./public_keys.ts";

const VERSION = 1;

/** Three public keys that their own Ed25519 key has signed: what both kinds of certificate share. */
export interface SignedKeys extends PublicKeys {
  /** When the keys were made, in seconds since 1970. */
  readonly createdAt: number;
  /** The certificate as it is handed over; 559 bytes and the subject. */
  readonly bytes: Bytes;
}

/** Says what a certificate is for: no certificate of one kind is ever valid as another. */
export type Purpose = "account" | "node";

/**
 * Makes a certificate: version (1 byte) ‖ `subject` ‖ createdAt (8) ‖ Ed25519 (32) ‖ X25519 (32) ‖
 * RSA SubjectPublicKeyInfo (422) ‖ signature (64). The signature is over the purpose's label and all
 * that stands before it.
 *
 * @param subject self-delimiting bytes.
 * @throws {RangeError} if `createdAt` is not a whole number of seconds from 0.
 */
export async function signKeys(
  purpose: Purpose,
  subject: Bytes,
  createdAt: number,
  pairs: KeyPairs,
): Promise<SignedKeys> {
  if (!Number.isSafeInteger(createdAt) || createdAt < 0) {
    throw new RangeError(
      `Cannot sign a certificate: ${createdAt} is not a time in seconds`,
    );
  }
  const keys = publicKeysOf(pairs);
  const writer = new Writer(1024).u8(VERSION).bytes(subject)
    .u64(BigInt(createdAt));
  writePublicKeys(writer, keys);
  const body = writer.done();
  const signature = await sign(
    pairs.signing.privateKey,
    concat(label(purpose), body),
  );
  return { ...keys, createdAt, bytes: concat(body, signature) };
}

/**
 * Reads what `signKeys` made and verifies the signature; `readSubject` reads the subject.
 *
 * @throws {MalformedError} if it does not parse to the last byte or the signature does not match.
 */
export async function parseSignedKeys<T>(
  purpose: Purpose,
  bytes: Uint8Array,
  readSubject: (reader: Reader) => T,
): Promise<{ readonly subject: T; readonly keys: SignedKeys }> {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== VERSION) {
    throw new MalformedError(
      `Cannot read a certificate: version ${version}, only ${VERSION} is known`,
    );
  }
  const subject = readSubject(reader);
  const createdAt = reader.u64();
  if (createdAt > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new MalformedError("Cannot read a certificate: no such time");
  }
  const keys = readPublicKeys(reader);
  const signature = reader.take(SIGNATURE_BYTES);
  reader.end();
  const whole = new Uint8Array(bytes);
  const body = whole.subarray(0, whole.length - SIGNATURE_BYTES);
  if (
    !await matches(keys.signingKey, signature, concat(label(purpose), body))
  ) {
    throw new MalformedError(
      "Cannot read a certificate: the signature does not match",
    );
  }
  return {
    subject,
    keys: { ...keys, createdAt: Number(createdAt), bytes: whole },
  };
}

async function matches(
  key: Bytes,
  signature: Bytes,
  message: Bytes,
): Promise<boolean> {
  try {
    return await verify(key, signature, message);
  } catch {
    // 32 bytes that are no point of the curve: nothing can have been signed by them.
    return false;
  }
}

function label(purpose: Purpose): Bytes {
  return utf8(`sotto ${purpose} certificate v1\0`);
}
