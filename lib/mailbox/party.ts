import type { Bytes, DhKeyPair, SigningKeyPair } from "../protocol/mod.ts";

/** What letters need of a person's certificate. Any certificate of `identity` has this shape. */
export interface Party {
  /** SHA-256 of the certificate, 32 bytes: who somebody is. */
  readonly id: Bytes;
  /** Ed25519 public key, 32 bytes: signs prekeys and messages. */
  readonly signingKey: Bytes;
  /** X25519 public identity key, 32 bytes: takes part in the key agreement. */
  readonly dhKey: Bytes;
}

/** What letters need of one's own keyring. Any keyring of `identity` has this shape. */
export interface OwnParty {
  /** The public half, as others have it. */
  readonly certificate: Party;
  /** Ed25519, the pair of `certificate.signingKey`. */
  readonly signing: SigningKeyPair;
  /** X25519, the pair of `certificate.dhKey`. */
  readonly dh: DhKeyPair;
}
