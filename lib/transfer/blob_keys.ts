import {
  concat,
  hkdfSha256,
  randomBytes,
  sha256,
  utf8,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";

/** Length in bytes of the secret that a blob's keys come from, and of every capability. */
export const SECRET_BYTES = 32;

const READ = utf8("sotto file read");
const KEY = utf8("sotto file key");
const CONTEXT = utf8("sotto file 1\0");
const EMPTY = new Uint8Array(0);

/** What one secret gives: whoever has it finds the blob and can open it (SPEC.md §10.1). */
export interface BlobKeys {
  /** Shown to the server by whoever reads, 32 bytes. */
  readonly readCapability: Bytes;
  /** SHA-256 of it, by which the server knows the blob. */
  readonly id: Bytes;
  /** The input key of the sealed blob, 32 bytes. */
  readonly inputKey: Bytes;
  /** What the sealed blob is bound to: the label and the id. */
  readonly context: Bytes;
}

/** The keys of the blob of `secret`, 32 bytes. */
export async function blobKeys(secret: Bytes): Promise<BlobKeys> {
  const [readCapability, inputKey] = await Promise.all([
    hkdfSha256(secret, EMPTY, READ, SECRET_BYTES),
    hkdfSha256(secret, EMPTY, KEY, SECRET_BYTES),
  ]);
  const id = await sha256(readCapability);
  return { readCapability, id, inputKey, context: concat(CONTEXT, id) };
}

/** A new secret or capability. */
export function newSecret(): Bytes {
  return randomBytes(SECRET_BYTES);
}
