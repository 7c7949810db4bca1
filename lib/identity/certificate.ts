import type { Bytes, Reader } from "../protocol/mod.ts";
import {
  fromUtf8,
  MalformedError,
  sha256,
  utf8,
  Writer,
} from "../protocol/mod.ts";
import type { KeyPairs } from "./key_pairs.ts";
import type { SignedKeys } from "./signed_keys.ts";
import { parseSignedKeys, signKeys } from "./signed_keys.ts";
import { ADDRESS_LIMIT, parseAddress } from "./username.ts";

/** The public half of an account: who it is and its keys, signed by its own Ed25519 key. */
export interface Certificate extends SignedKeys {
  /** `name@zone`. */
  readonly address: string;
  /** SHA-256 of `bytes`, 32 bytes: the CERTIFICATE-ID. */
  readonly id: Bytes;
}

/**
 * Makes the certificate of the account `address` over the public halves of `pairs`.
 *
 * @param createdAt seconds since 1970.
 * @throws {MalformedError} if `address` is not a canonical `name@zone`.
 */
export async function signCertificate(
  address: string,
  createdAt: number,
  pairs: KeyPairs,
): Promise<Certificate> {
  const subject = new Writer()
    .prefixed(1, utf8(parseAddress(address).address)).done();
  const keys = await signKeys("account", subject, createdAt, pairs);
  return { address, ...keys, id: await sha256(keys.bytes) };
}

/**
 * Reads a certificate and verifies its signature. That proves that whoever made it held the Ed25519
 * key, not that the account belongs to the person you think: compare safety numbers for that.
 *
 * @throws {MalformedError} if it does not parse to the last byte or the signature does not match.
 */
export async function parseCertificate(
  bytes: Uint8Array,
): Promise<Certificate> {
  const { subject, keys } = await parseSignedKeys(
    "account",
    bytes,
    readAddress,
  );
  return { address: subject, ...keys, id: await sha256(keys.bytes) };
}

function readAddress(reader: Reader): string {
  const bytes = reader.prefixed(1, ADDRESS_LIMIT);
  try {
    return parseAddress(fromUtf8(bytes)).address;
  } catch (cause) {
    throw new MalformedError("Cannot read a certificate: no such address", {
      cause,
    });
  }
}
