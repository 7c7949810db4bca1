import {
  fromUtf8,
  Reader,
  sha256,
  utf8,
  Writer,
} from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import type { Vault } from "../../lib/store/mod.ts";

/** What another process needs to go on with files that were not sent whole. */
export interface PushRecord {
  /** 32 bytes each. */
  readonly secret: Bytes;
  readonly writeCapability: Bytes;
  /** 24 bytes. */
  readonly salt: Bytes;
  /** Of the files as they were, 32 bytes: they are sealed under this key as they are, or not at all. */
  readonly fingerprint: Bytes;
  /** Number of the letter that offers them, in the history; 0 if it was not written yet. */
  readonly entry: number;
  /** Until when the server keeps them, in milliseconds since 1970; 0 if it was not asked yet. */
  readonly expiresAt: number;
}

const KIND = "push";
const VERSION = 1;

/** Where the record of these files for this person is kept. */
export async function pushKey(
  address: string,
  paths: readonly string[],
): Promise<string> {
  const real = await Promise.all(paths.map((path) => Deno.realPath(path)));
  return (await sha256(utf8([address, ...real.toSorted()].join("\0")))).toHex();
}

export async function readPush(
  vault: Vault,
  key: string,
): Promise<PushRecord | undefined> {
  const record = await vault.get(KIND, key);
  if (record === undefined) return undefined;
  const reader = new Reader(record.body);
  if (reader.u8() !== VERSION) return undefined;
  const read = {
    secret: reader.take(32),
    writeCapability: reader.take(32),
    salt: reader.take(24),
    fingerprint: reader.take(32),
    entry: reader.u32(),
    expiresAt: Number(reader.u64()),
  };
  reader.end();
  return read;
}

export async function writePush(
  vault: Vault,
  key: string,
  record: PushRecord,
): Promise<void> {
  const body = new Writer().u8(VERSION).bytes(record.secret)
    .bytes(record.writeCapability).bytes(record.salt)
    .bytes(record.fingerprint).u32(record.entry)
    .u64(BigInt(record.expiresAt)).done();
  await replace(vault, KIND, key, body);
}

export async function removePush(vault: Vault, key: string): Promise<void> {
  await replace(vault, KIND, key, null);
}

const PULLED = "pulled";

/** Notes that a blob was fetched, and where it lies. */
export async function notePulled(
  vault: Vault,
  id: Bytes,
  paths: readonly string[],
): Promise<void> {
  await replace(vault, PULLED, id.toHex(), utf8(paths.join("\0")));
}

/** Notes that the server has no such blob any more: it was sent anew, or fetched by another device. */
export async function noteGone(vault: Vault, id: Bytes): Promise<void> {
  await replace(vault, PULLED, id.toHex(), new Uint8Array(0));
}

/** Where a blob lies that was fetched, nowhere if it is gone; `undefined` if neither is known. */
export async function pulledTo(
  vault: Vault,
  id: Bytes,
): Promise<readonly string[] | undefined> {
  const record = await vault.get(PULLED, id.toHex());
  if (record === undefined) return undefined;
  return record.body.length === 0 ? [] : fromUtf8(record.body).split("\0");
}

async function replace(
  vault: Vault,
  kind: string,
  key: string,
  body: Bytes | null,
): Promise<void> {
  for (;;) {
    const expect = (await vault.get(kind, key))?.version ?? 0;
    if (body === null && expect === 0) return;
    if (await vault.commit([{ kind, key, expect, body }])) return;
  }
}
