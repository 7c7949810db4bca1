import type { Bytes } from "../protocol/mod.ts";
import {
  MalformedError,
  randomBytes,
  Reader,
  Writer,
} from "../protocol/mod.ts";
import type { KeyPairs } from "./key_pairs.ts";
import {
  generateKeyPairs,
  readPrivateKeys,
  writePrivateKeys,
} from "./key_pairs.ts";
import type { NodeCertificate } from "./node_certificate.ts";
import {
  NODE_CERTIFICATE_BYTES,
  parseNodeCertificate,
  signNodeCertificate,
} from "./node_certificate.ts";

/** Everything a node is: the certificate, the private halves of its keys, and one secret of its own. */
export interface NodeKeyring extends KeyPairs {
  /** The public half. */
  readonly certificate: NodeCertificate;
  /**
   * 32 random bytes that no other node has. From them, by HKDF with a label for each use, come the
   * keys that wrap what the node stores and the salts it invents for accounts that do not exist.
   */
  readonly storageSecret: Bytes;
}

const VERSION = 1;
const SECRET_BYTES = 32;

/**
 * Makes new keys for a node; takes around half a second.
 *
 * @param now seconds since 1970.
 */
export async function generateNodeKeyring(now: number): Promise<NodeKeyring> {
  return await assembleNodeKeyring(now, await generateKeyPairs());
}

/** Makes a node's keyring of keys that exist already, with a new storage secret. */
export async function assembleNodeKeyring(
  now: number,
  pairs: KeyPairs,
): Promise<NodeKeyring> {
  const { signing, dh, rsa } = pairs;
  const certificate = await signNodeCertificate(now, pairs);
  const storageSecret = randomBytes(SECRET_BYTES);
  return { certificate, signing, dh, rsa, storageSecret };
}

/**
 * The whole keyring as bytes, in the clear: version (1 byte) ‖ certificate (559) ‖ storage secret (32)
 * ‖ Ed25519 seed (32) ‖ X25519 key (32) ‖ RSA PKCS#8 behind its length (2).
 */
export async function encodeNodeKeyring(keyring: NodeKeyring): Promise<Bytes> {
  const writer = new Writer(4096).u8(VERSION)
    .bytes(keyring.certificate.bytes).bytes(keyring.storageSecret);
  await writePrivateKeys(writer, keyring);
  return writer.done();
}

/**
 * Inverse of `encodeNodeKeyring`.
 *
 * @throws {MalformedError} if it does not parse to the last byte, the certificate's signature does not
 * match, or a private key does not belong to the certificate.
 */
export async function parseNodeKeyring(
  bytes: Uint8Array,
): Promise<NodeKeyring> {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== VERSION) {
    throw new MalformedError(
      `Cannot read a node keyring: version ${version}, only ${VERSION} is known`,
    );
  }
  const certificate = await parseNodeCertificate(
    reader.take(NODE_CERTIFICATE_BYTES),
  );
  const storageSecret = reader.take(SECRET_BYTES);
  const pairs = await readPrivateKeys(reader, certificate);
  reader.end();
  return { certificate, ...pairs, storageSecret };
}
