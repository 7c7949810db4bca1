import type { Argon2Cost, Bytes } from "../protocol/mod.ts";
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  hkdfSha256,
  importAead,
  MalformedError,
  open,
  randomBytes,
  seal,
  utf8,
  Writer,
} from "../protocol/mod.ts";
import { DEFAULT_COST } from "./cost.ts";
import type { KeyFile } from "./key_file_text.ts";
import { formatKeyFile, parseKeyFile } from "./key_file_text.ts";
import { SALT_BYTES, stretch, WrongPassphraseError } from "./wrapping.ts";

/** Length in bytes of a secret that protects key files. */
export const KEY_FILE_SECRET_BYTES = 32;

/** By what a key file is sealed: a passphrase, or 32 bytes that lie elsewhere. */
export type Protection =
  | { readonly passphrase: string; readonly cost?: Argon2Cost }
  | { readonly secret: Bytes };

/** A key file that needs a passphrase was given a secret, or the other way round. */
export class ProtectionMismatchError extends Error {
  /** The name of this class. */
  override readonly name = "ProtectionMismatchError";
  /** Stable, for programs. */
  readonly code = "ERR_PROTECTION_MISMATCH";
}

/**
 * Seals `plaintext` by AES-256-GCM into the text of a key file. Kind, method, salt and cost stand in
 * the clear and are bound as associated data.
 *
 * @param kind what is inside: 1 to 32 of a-z and "-", such as "node" or "account".
 * @throws {WeakCostError | ExcessiveCostError} if the protection's cost is out of bounds.
 * @throws {MalformedError} if the secret is not 32 bytes, the passphrase is empty or `kind` is none.
 */
export async function sealKeyFile(
  kind: string,
  plaintext: Bytes,
  protection: Protection,
): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const method: KeyFile["method"] = "secret" in protection
    ? { name: "secret", salt }
    : { name: "argon2id", salt, cost: protection.cost ?? DEFAULT_COST };
  const key = await keyFor(method, protection);
  const nonce = randomBytes(AEAD_NONCE_BYTES);
  const header = encodeHeader(kind, method);
  const sealed = await seal(key, nonce, plaintext, header);
  return formatKeyFile({ kind, method, nonce, sealed });
}

/**
 * Inverse of `sealKeyFile`.
 *
 * @throws {MalformedError} if `text` is no key file, or one of another kind.
 * @throws {ProtectionMismatchError} if it is sealed in the other way.
 * @throws {WeakCostError | ExcessiveCostError} if the file names a cost out of bounds.
 * @throws {WrongPassphraseError} if passphrase or secret are wrong or the file was altered.
 */
export async function openKeyFile(
  text: string,
  kind: string,
  protection: Protection,
): Promise<Bytes> {
  const file = parseKeyFile(text);
  if (file.kind !== kind) {
    throw new MalformedError(
      `Cannot open a key file: it is of kind ${file.kind}, not ${kind}`,
    );
  }
  const key = await keyFor(file.method, protection);
  try {
    return await open(
      key,
      file.nonce,
      file.sealed,
      encodeHeader(kind, file.method),
    );
  } catch (cause) {
    const by = file.method.name === "secret" ? "secret" : "passphrase";
    throw new WrongPassphraseError(
      `Cannot open a key file: the ${by} is wrong or the file was altered`,
      { cause },
    );
  }
}

/** What a key file says of itself, before it is opened and therefore unproven. */
export interface KeyFileDescription {
  /** What is inside. */
  readonly kind: string;
  /** What `openKeyFile` will want. */
  readonly needs: "passphrase" | "secret";
}

/**
 * Reads the header of a key file.
 *
 * @throws {MalformedError} if `text` is no key file.
 */
export function describeKeyFile(text: string): KeyFileDescription {
  const { kind, method } = parseKeyFile(text);
  return { kind, needs: method.name === "secret" ? "secret" : "passphrase" };
}

/** A new secret of 32 bytes. */
export function generateSecret(): Bytes {
  return randomBytes(KEY_FILE_SECRET_BYTES);
}

/** A secret as one line of base64, which is also what `openssl rand -base64 32` prints. */
export function formatSecret(secret: Bytes): string {
  return secret.toBase64() + "\n";
}

/**
 * Inverse of `formatSecret`.
 *
 * @throws {MalformedError} if `text` is not 32 bytes in base64.
 */
export function parseSecret(text: string): Bytes {
  let secret: Bytes;
  try {
    secret = Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
  } catch {
    // What the decoder says may quote the secret, so it is not kept as the cause.
    throw new MalformedError("Cannot read a secret: it is not base64");
  }
  if (secret.length !== KEY_FILE_SECRET_BYTES) {
    throw new MalformedError(
      `Cannot read a secret: ${secret.length} bytes, not ${KEY_FILE_SECRET_BYTES}`,
    );
  }
  return secret;
}

async function keyFor(
  method: KeyFile["method"],
  protection: Protection,
): Promise<CryptoKey> {
  if (method.name === "argon2id") {
    if (!("passphrase" in protection)) {
      throw new ProtectionMismatchError(
        "Cannot open a key file: it is sealed by a passphrase, not by a secret",
      );
    }
    const { passphrase } = protection;
    return (await stretch(passphrase, method.salt, method.cost)).wrapKey;
  }
  if (!("secret" in protection)) {
    throw new ProtectionMismatchError(
      "Cannot open a key file: it is sealed by a secret, not by a passphrase",
    );
  }
  if (protection.secret.length !== KEY_FILE_SECRET_BYTES) {
    throw new MalformedError(
      `Cannot use a secret: ${protection.secret.length} bytes, not ${KEY_FILE_SECRET_BYTES}`,
    );
  }
  return await importAead(
    await hkdfSha256(
      protection.secret,
      method.salt,
      utf8("sotto key file secret v1"),
      AEAD_KEY_BYTES,
    ),
  );
}

function encodeHeader(kind: string, method: KeyFile["method"]): Bytes {
  const writer = new Writer().bytes(utf8("sotto key file v1\0"))
    .prefixed(1, utf8(kind))
    .prefixed(1, utf8(method.name))
    .prefixed(1, method.salt);
  if (method.name === "argon2id") {
    writer.u32(method.cost.memoryKiB).u32(method.cost.passes);
  }
  return writer.done();
}
