import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";

/** base64url without padding (RFC 7515 §2). */
export function toBase64url(bytes: Bytes): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * Inverse of `toBase64url`.
 *
 * @throws {MalformedError} if `value` is not a text in the one form that `toBase64url` gives.
 */
export function fromBase64url(value: unknown): Bytes {
  if (typeof value === "string") {
    try {
      const bytes = Uint8Array.fromBase64(value, { alphabet: "base64url" });
      if (toBase64url(bytes) === value) return bytes;
    } catch {
      // What the decoder says may quote a private key, so it is not kept as the cause.
    }
  }
  throw new MalformedError("Cannot read a JWK: a value is not base64url");
}
