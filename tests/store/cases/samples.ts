import { randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import type {
  Account,
  BlobRecord,
  BlobUsage,
  Letter,
  LetterUsage,
  PassphraseRecord,
  ServerStore,
} from "../../../lib/store/mod.ts";

/** A quota that no case reaches by accident. */
export const AMPLE: LetterUsage = { letters: 1_000_000, bytes: 1e12 };

/** The fields of a passphrase, random. */
export function passphraseSample(): PassphraseRecord {
  return {
    authSalt: randomBytes(16),
    authHash: randomBytes(32),
    kdfSalt: randomBytes(16),
    kdfMemoryKiB: 65_536,
    kdfPasses: 3,
    wrappedKeys: randomBytes(2_500),
  };
}

/** An interactive account with random keys. */
export function accountSample(address: string): Account {
  return {
    address,
    kind: "interactive",
    certificate: randomBytes(900),
    certificateId: randomBytes(32),
    ...passphraseSample(),
    usrPublic: randomBytes(422),
    usrPrivateWrapped: randomBytes(1_800),
    device: null,
    createdAt: 1_700_000_000_000,
  };
}

/** A non-interactive account with random keys. */
export function nonInteractiveSample(address: string): Account {
  return {
    ...accountSample(address),
    kind: "non-interactive",
    authSalt: null,
    authHash: null,
    kdfSalt: null,
    kdfMemoryKiB: null,
    kdfPasses: null,
    wrappedKeys: null,
    device: randomBytes(16),
  };
}

/** A letter with a random id and body. */
export function letterSample(
  sender: string,
  recipient: string,
  fields: Partial<Letter> = {},
): Letter {
  return {
    sender,
    recipient,
    letterId: randomBytes(16),
    body: randomBytes(546),
    storedAt: 1_000,
    expiresAt: 2_000,
    ...fields,
  };
}

/** 16 or 32 bytes that are all `value`. */
export function filled(value: number, length: 16 | 32): Bytes {
  return new Uint8Array(length).fill(value);
}

/** Makes interactive accounts. */
export async function register(
  store: ServerStore,
  ...addresses: readonly string[]
): Promise<void> {
  for (const address of addresses) {
    const outcome = await store.accounts.create(accountSample(address), null);
    if (outcome !== "created") throw new Error(`${address}: ${outcome}`);
  }
}

/** Room for every blob of a test. */
export const AMPLE_BLOBS: BlobUsage = { blobs: 1_000, bytes: 1e15 };

/** A blob whose id is filled with `value`. */
export function blobSample(
  value: number,
  fields: Partial<BlobRecord> = {},
): BlobRecord {
  return {
    id: filled(value, 32),
    writer: randomBytes(32),
    owner: "ada@example.org",
    header: randomBytes(56),
    size: 16_400,
    downloads: 1,
    expiresAt: 5_000,
    ...fields,
  };
}
