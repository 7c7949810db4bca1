import type { Bytes } from "../protocol/mod.ts";
import { Reader, Writer } from "../protocol/mod.ts";
import { AUTH_BYTES } from "../identity/mod.ts";

/** Length of each side's share of the session secret, in bytes. */
export const SHARE_BYTES = 32;
/** Longest invite code in bytes. */
export const INVITE_LIMIT = 64;

/** What CREDENTIALS hold once decrypted. */
export interface Credentials {
  /** 32 bytes; all zero for an account without a passphrase. */
  readonly auth: Bytes;
  /** The invite code in UTF-8; empty where none is shown. */
  readonly invite: Bytes;
}

/** auth (32) ‖ length of the invite (1) ‖ invite. */
export function encodeCredentials({ auth, invite }: Credentials): Bytes {
  return new Writer().bytes(auth).prefixed(1, invite).done();
}

/** @throws {MalformedError} if it does not parse to the last byte. */
export function parseCredentials(bytes: Bytes): Credentials {
  const reader = new Reader(bytes);
  const auth = reader.take(AUTH_BYTES);
  const invite = reader.prefixed(1, INVITE_LIMIT);
  reader.end();
  return { auth, invite };
}
