import type { Bytes } from "../protocol/mod.ts";
import {
  CryptoError,
  MalformedError,
  Reader,
  rsaDecrypt,
  rsaEncrypt,
  Writer,
} from "../protocol/mod.ts";
import type { NodeCertificate, NodeKeyring } from "../identity/mod.ts";
import { AUTH_BYTES } from "../identity/mod.ts";
import { AccountError } from "./account_error.ts";

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

/**
 * Encrypts CREDENTIALS to a server's key, for one connection only (S0.4).
 *
 * @param channelHash the handshake hash of that connection.
 */
export async function sealCredentials(
  node: NodeCertificate,
  channelHash: Bytes,
  credentials: Credentials,
): Promise<Bytes> {
  return await rsaEncrypt(
    node.rsaKey,
    encodeCredentials(credentials),
    channelHash,
  );
}

/**
 * Decrypts CREDENTIALS, which are bound to one connection by its handshake hash.
 *
 * @throws {AccountError} "credentials" if they were made for another server or connection.
 */
export async function openCredentials(
  node: NodeKeyring,
  sealed: Bytes,
  channelHash: Bytes,
): Promise<Credentials> {
  try {
    return parseCredentials(
      await rsaDecrypt(node.rsa.privateKey, sealed, channelHash),
    );
  } catch (error) {
    if (error instanceof CryptoError || error instanceof MalformedError) {
      throw new AccountError("read the credentials", "credentials");
    }
    throw error;
  }
}
