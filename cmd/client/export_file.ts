import type { Protection } from "../../lib/identity/mod.ts";
import { openKeyFile, sealKeyFile } from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  concat,
  equalConstantTime,
  fromUtf8,
  HASH_BYTES,
  MalformedError,
  Reader,
  sha256,
  utf8,
  Writer,
} from "../../lib/protocol/mod.ts";

/** What an export file holds. */
export interface Exported {
  /** The text of account.json. */
  readonly account: string;
  /** The profile's secret, 32 bytes, which opens the other two. */
  readonly secret: Bytes;
  /** The text of keyring.key. */
  readonly keyring: string;
  /** The bytes of vault.db, sealed by the secret. */
  readonly vault: Bytes;
}

const MAGIC = utf8("sotto export 1\n");
const KIND = "export";
const HEAD_LIMIT = 65_536;

/**
 * An account as one file: magic ‖ length u32 ‖ key file of kind "export" (account, secret, keyring and
 * the SHA-256 of the vault, under the passphrase) ‖ the vault, whose records are sealed by the secret.
 */
export async function sealExport(
  { account, secret, keyring, vault }: Exported,
  protection: Protection,
): Promise<Bytes> {
  const plaintext = new Writer(8_192).prefixed(4, utf8(account)).bytes(secret)
    .prefixed(4, utf8(keyring)).bytes(await sha256(vault)).done();
  const head = utf8(await sealKeyFile(KIND, plaintext, protection));
  return concat(
    MAGIC,
    new Writer(4).u32(head.length).done(),
    head,
    vault,
  );
}

/**
 * Inverse of `sealExport`.
 *
 * @throws {MalformedError} if it is no export file, or the vault in it was altered.
 * @throws {WrongPassphraseError} if the passphrase is wrong.
 */
export async function openExport(
  file: Bytes,
  protection: Protection,
): Promise<Exported> {
  const reader = new Reader(file);
  if (
    !equalConstantTime(reader.take(Math.min(MAGIC.length, reader.left)), MAGIC)
  ) {
    throw new MalformedError("Cannot import: it is no export of sotto");
  }
  const head = fromUtf8(reader.prefixed(4, HEAD_LIMIT));
  const vault = reader.rest();
  const inner = new Reader(await openKeyFile(head, KIND, protection));
  const account = fromUtf8(inner.prefixed(4, HEAD_LIMIT));
  const secret = inner.take(32);
  const keyring = fromUtf8(inner.prefixed(4, HEAD_LIMIT));
  const hash = inner.take(HASH_BYTES);
  inner.end();
  if (!equalConstantTime(hash, await sha256(vault))) {
    throw new MalformedError("Cannot import: the file is damaged");
  }
  return { account, secret, keyring, vault };
}
