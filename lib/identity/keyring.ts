import type { Bytes } from "../protocol/mod.ts";
import { MalformedError, Reader, Writer } from "../protocol/mod.ts";
import type { Certificate } from "./certificate.ts";
import { parseCertificate, signCertificate } from "./certificate.ts";
import type { KeyPairs } from "./key_pairs.ts";
import {
  generateKeyPairs,
  readPrivateKeys,
  writePrivateKeys,
} from "./key_pairs.ts";

/** Everything an account is: the certificate and the private halves of its keys, extractable. */
export interface Keyring extends KeyPairs {
  /** The public half. */
  readonly certificate: Certificate;
}

const VERSION = 1;

/** Longest certificate that is read, in bytes. */
const CERTIFICATE_LIMIT = 1024;

/**
 * Makes new keys for the account `address`; takes around half a second.
 *
 * @param now seconds since 1970.
 * @throws {MalformedError} if `address` is not a canonical `name@zone`.
 */
export async function generateKeyring(
  address: string,
  now: number,
): Promise<Keyring> {
  return await assembleKeyring(address, now, await generateKeyPairs());
}

/** Makes a keyring of keys that exist already; otherwise as `generateKeyring`. */
export async function assembleKeyring(
  address: string,
  now: number,
  pairs: KeyPairs,
): Promise<Keyring> {
  const { signing, dh, rsa } = pairs;
  const certificate = await signCertificate(address, now, pairs);
  return { certificate, signing, dh, rsa };
}

/**
 * The whole keyring as bytes, in the clear: version (1 byte) ‖ certificate behind its length (2) ‖
 * Ed25519 seed (32) ‖ X25519 key (32) ‖ RSA PKCS#8 behind its length (2). Around 2,500 bytes.
 */
export async function encodeKeyring(keyring: Keyring): Promise<Bytes> {
  const writer = new Writer(4096).u8(VERSION)
    .prefixed(2, keyring.certificate.bytes);
  await writePrivateKeys(writer, keyring);
  return writer.done();
}

/**
 * Inverse of `encodeKeyring`.
 *
 * @throws {MalformedError} if it does not parse to the last byte, the certificate's signature does not
 * match, or a private key does not belong to the certificate.
 */
export async function parseKeyring(bytes: Uint8Array): Promise<Keyring> {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== VERSION) {
    throw new MalformedError(
      `Cannot read a keyring: version ${version}, only ${VERSION} is known`,
    );
  }
  const certificate = await parseCertificate(
    reader.prefixed(2, CERTIFICATE_LIMIT),
  );
  const pairs = await readPrivateKeys(reader, certificate);
  reader.end();
  return { certificate, ...pairs };
}
