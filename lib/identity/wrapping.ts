import type { Argon2Cost, Bytes } from "../protocol/mod.ts";
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  argon2id,
  hkdfSha256,
  importAead,
  MalformedError,
  open,
  randomBytes,
  Reader,
  seal,
  utf8,
  Writer,
} from "../protocol/mod.ts";
import { checkCost } from "./cost.ts";

/** Length of the salt of a passphrase in bytes (RFC 9106 §3.1). */
export const SALT_BYTES = 16;
/** Length in bytes of the part of a stretched passphrase that goes to the server. */
export const AUTH_BYTES = 32;
/** Longest wrapped keyring that is read, in bytes. */
export const WRAPPED_LIMIT = 8192;

const MASTER_BYTES = 32;
const VERSION = 1;
const NO_SALT = new Uint8Array(0);

/** What a passphrase becomes: two secrets, neither of which tells anything of the other. */
export interface Stretched {
  /** 32 bytes; proves to the server that the passphrase is known. */
  readonly auth: Bytes;
  /** AES-256-GCM; wraps the private keys and never leaves this machine. */
  readonly wrapKey: CryptoKey;
}

/** What a wrapped keyring belongs to. Under any other binding it does not open. */
export interface WrapBinding {
  /** `name@zone`. */
  readonly address: string;
  /** SHA-256 of the certificate, 32 bytes. */
  readonly certificateId: Bytes;
  /** 16 bytes, as the passphrase was stretched with. */
  readonly salt: Bytes;
  /** As the passphrase was stretched with. */
  readonly cost: Argon2Cost;
}

/** A passphrase that does not open what it should, or data that was altered: nobody can tell which. */
export class WrongPassphraseError extends Error {
  /** The name of this class. */
  override readonly name = "WrongPassphraseError";
  /** Stable, for programs. */
  readonly code = "ERR_WRONG_PASSPHRASE";
}

/**
 * passphrase -> Argon2id -> master (32 bytes) -> HKDF-SHA-256 -> `auth`, `wrapKey`.
 *
 * The passphrase is brought to Unicode's form NFC first (RFC 8265 §4.2.2), because keyboards differ in
 * how they compose the same letter. Takes about 0.2 s at the default cost.
 *
 * @param salt 16 bytes.
 * @throws {WeakCostError | ExcessiveCostError} if `cost` is out of bounds.
 * @throws {MalformedError} if the salt is not 16 bytes or the passphrase is empty.
 */
export async function stretch(
  passphrase: string,
  salt: Bytes,
  cost: Argon2Cost,
): Promise<Stretched> {
  checkCost(cost);
  if (salt.length !== SALT_BYTES) {
    throw new MalformedError(
      `Cannot stretch a passphrase: a salt of ${salt.length} bytes, not ${SALT_BYTES}`,
    );
  }
  if (passphrase.length === 0) {
    throw new MalformedError("Cannot stretch a passphrase: it is empty");
  }
  const password = utf8(passphrase.normalize("NFC"));
  const master = await argon2id(password, salt, cost, MASTER_BYTES);
  const auth = await hkdfSha256(
    master,
    NO_SALT,
    utf8("sotto passphrase auth v1"),
    AUTH_BYTES,
  );
  const wrap = await hkdfSha256(
    master,
    NO_SALT,
    utf8("sotto passphrase wrap v1"),
    AEAD_KEY_BYTES,
  );
  const wrapKey = await importAead(wrap);
  for (const secret of [password, master, wrap]) secret.fill(0);
  return { auth, wrapKey };
}

/**
 * Wraps an encoded keyring: version (1 byte) ‖ random nonce (12) ‖ AES-256-GCM ciphertext and tag, with
 * `binding` as associated data.
 */
export async function wrapKeyring(
  keyring: Bytes,
  wrapKey: CryptoKey,
  binding: WrapBinding,
): Promise<Bytes> {
  const nonce = randomBytes(AEAD_NONCE_BYTES);
  const sealed = await seal(wrapKey, nonce, keyring, encodeBinding(binding));
  return new Writer().u8(VERSION).bytes(nonce).bytes(sealed).done();
}

/**
 * Inverse of `wrapKeyring`.
 *
 * @throws {MalformedError} if `wrapped` is no wrapped keyring.
 * @throws {WrongPassphraseError} if the passphrase is wrong, the blob was altered, or it was made for
 * another address, certificate, salt or cost.
 */
export async function unwrapKeyring(
  wrapped: Bytes,
  wrapKey: CryptoKey,
  binding: WrapBinding,
): Promise<Bytes> {
  const reader = new Reader(wrapped);
  const version = reader.u8();
  if (version !== VERSION || wrapped.length > WRAPPED_LIMIT) {
    throw new MalformedError(
      `Cannot unwrap a keyring: version ${version} of ${wrapped.length} bytes`,
    );
  }
  const nonce = reader.take(AEAD_NONCE_BYTES);
  const sealed = reader.rest();
  if (sealed.length < AEAD_TAG_BYTES) {
    throw new MalformedError("Cannot unwrap a keyring: it is too short");
  }
  try {
    return await open(wrapKey, nonce, sealed, encodeBinding(binding));
  } catch (cause) {
    throw new WrongPassphraseError(
      "Cannot unwrap a keyring: the passphrase is wrong or the data was altered",
      { cause },
    );
  }
}

function encodeBinding(binding: WrapBinding): Bytes {
  return new Writer().bytes(utf8("sotto wrapped keyring v1\0"))
    .prefixed(1, utf8(binding.address))
    .prefixed(1, binding.certificateId)
    .prefixed(1, binding.salt)
    .u32(binding.cost.memoryKiB)
    .u32(binding.cost.passes)
    .done();
}
