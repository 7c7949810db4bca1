import type {
  Bytes,
  DhKeyPair,
  RsaKeyPair,
  SigningKeyPair,
} from "../../protocol/mod.ts";
import type { KeyPairs } from "../key_pairs.ts";
import type { PublicKeys } from "../public_keys.ts";

/** What a key is for; in every format the algorithm says which of the three it is. */
export type KeyUse = "signing" | "agreement" | "encryption";

/** All uses, in the order in which certificates hold their keys. */
export const KEY_USES: readonly KeyUse[] = [
  "signing",
  "agreement",
  "encryption",
];

/** A public key outside of a certificate. */
export interface ExchangedPublicKey {
  /** What it is for. */
  readonly use: KeyUse;
  /** Ed25519 or X25519 raw (32 bytes), or RSA as SubjectPublicKeyInfo (422 bytes). */
  readonly key: Bytes;
}

/** A private key with its public half, private half extractable. */
export type ExchangedPrivateKey =
  | { readonly use: "signing"; readonly pair: SigningKeyPair }
  | { readonly use: "agreement"; readonly pair: DhKeyPair }
  | { readonly use: "encryption"; readonly pair: RsaKeyPair };

/** The key of a certificate that is for `use`. */
export function publicKeyFor(
  keys: PublicKeys,
  use: KeyUse,
): ExchangedPublicKey {
  switch (use) {
    case "signing":
      return { use, key: keys.signingKey };
    case "agreement":
      return { use, key: keys.dhKey };
    case "encryption":
      return { use, key: keys.rsaKey };
  }
}

/** The pair of a keyring that is for `use`. */
export function privateKeyFor(
  pairs: KeyPairs,
  use: KeyUse,
): ExchangedPrivateKey {
  switch (use) {
    case "signing":
      return { use, pair: pairs.signing };
    case "agreement":
      return { use, pair: pairs.dh };
    case "encryption":
      return { use, pair: pairs.rsa };
  }
}
