import { attempt, subtle } from "./subtle.ts";

/**
 * An extractable private key as a JSON Web Key, public members included: the one way in which
 * WebCrypto tells the public half of a private key.
 *
 * @throws {CryptoError} if the key is not extractable.
 */
export function exportJwk(key: CryptoKey): Promise<JsonWebKey> {
  return attempt(
    "export a key as JWK",
    () => subtle.exportKey("jwk", key),
  );
}

/**
 * The RSA-OAEP private key (SHA-256) of a JWK with the members of RFC 7518 §6.3.
 *
 * @throws {CryptoError} if it is none.
 */
export function importRsaJwk(
  jwk: JsonWebKey,
  extractable = false,
): Promise<CryptoKey> {
  return attempt("import an RSA private key", () =>
    subtle.importKey(
      "jwk",
      jwk,
      { name: "RSA-OAEP", hash: "SHA-256" },
      extractable,
      ["decrypt"],
    ));
}
