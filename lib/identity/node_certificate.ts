import type { Bytes } from "../protocol/mod.ts";
import { sha256 } from "../protocol/mod.ts";
import type { KeyPairs } from "./key_pairs.ts";
import type { SignedKeys } from "./signed_keys.ts";
import { parseSignedKeys, signKeys } from "./signed_keys.ts";

/** The public half of a node (server, relay, controller), signed by its own Ed25519 key. */
export interface NodeCertificate extends SignedKeys {
  /** SHA-256 of `bytes`, 32 bytes: what clients pin. */
  readonly fingerprint: Bytes;
}

/** Length of a node certificate in bytes. */
export const NODE_CERTIFICATE_BYTES = 559;

/**
 * Makes the certificate of a node over the public halves of `pairs`.
 *
 * @param createdAt seconds since 1970.
 */
export async function signNodeCertificate(
  createdAt: number,
  pairs: KeyPairs,
): Promise<NodeCertificate> {
  const nobody = new Uint8Array(0);
  const keys = await signKeys("node", nobody, createdAt, pairs);
  return { ...keys, fingerprint: await sha256(keys.bytes) };
}

/**
 * Reads a node certificate and verifies its signature. Which node it is, only the fingerprint says.
 *
 * @throws {MalformedError} if it does not parse to the last byte or the signature does not match.
 */
export async function parseNodeCertificate(
  bytes: Uint8Array,
): Promise<NodeCertificate> {
  const { keys } = await parseSignedKeys("node", bytes, () => undefined);
  return { ...keys, fingerprint: await sha256(keys.bytes) };
}
