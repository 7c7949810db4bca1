import { parseNodeCertificate } from "../identity/mod.ts";
import type { NodeCertificate, NodeKeyring } from "../identity/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { concat, MalformedError, sign, utf8, verify } from "../protocol/mod.ts";

const LABEL = utf8("sotto channel proof v1\0");

/** A node's signature over a handshake hash (32 bytes): it holds on that connection and on no other. */
export function proofOf(hash: Bytes, keyring: NodeKeyring): Promise<Bytes> {
  return sign(keyring.signing.privateKey, concat(LABEL, hash));
}

/**
 * The node that has proved itself on the connection with this handshake hash.
 *
 * @throws {MalformedError} if the certificate is none, or the signature is not its.
 */
export async function checkProof(
  certificate: Bytes,
  proof: Bytes,
  hash: Bytes,
): Promise<NodeCertificate> {
  const node = await parseNodeCertificate(certificate);
  if (!await verify(node.signingKey, proof, concat(LABEL, hash))) {
    throw new MalformedError("Cannot tell who asks: the proof does not match");
  }
  return node;
}
