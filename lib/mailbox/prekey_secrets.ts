import {
  exportDh,
  exportKem,
  generateDh,
  generateKem,
  importKem,
  KEM_SEED_BYTES,
  MalformedError,
  Reader,
  Writer,
  X25519_BYTES,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import type { OwnParty } from "./party.ts";
import { signBundle } from "./prekey_bundle.ts";
import type { OneTimePrekey } from "./prekey_bundle.ts";

/** A signed prekey older than this many seconds is replaced: 7 days. */
export const PREKEY_LIFETIME_S = 7 * 86_400;
/** A replaced signed prekey still opens letters for this many seconds: 14 days. */
export const PREKEY_GRACE_S = 14 * 86_400;
/** So many unused one-time prekeys are remembered; beyond, the oldest are forgotten. */
export const ONE_TIME_LIMIT = 1_000;

const VERSION = 1;
/** Weekly rotation and two weeks of grace need three or four; a clock that jumps gets no more. */
const SIGNED_LIMIT = 8;

/** The private halves of what one bundle publishes. They are made and replaced together. */
export interface SignedPrekeySecret {
  /** Number of the X25519 prekey. */
  readonly signedId: number;
  /** Number of the ML-KEM-768 prekey. */
  readonly kemId: number;
  /** In seconds since 1970. */
  readonly createdAt: number;
  /** X25519, 32 bytes. */
  readonly dhPrivate: Bytes;
  /** Its public half, 32 bytes. */
  readonly dhPublic: Bytes;
  /** The seed of the ML-KEM-768 pair, 64 bytes. */
  readonly kemSeed: Bytes;
}

/** The private half of a one-time prekey. */
export interface OneTimePrekeySecret {
  /** Number of the prekey. */
  readonly id: number;
  /** X25519, 32 bytes. */
  readonly dhPrivate: Bytes;
  /** Its public half, 32 bytes. */
  readonly dhPublic: Bytes;
}

/** All private prekeys of one person: a value that the client keeps in its vault. */
export interface PrekeySecrets {
  /** Number for the next prekey of any kind; numbers are never used twice. */
  readonly nextId: number;
  /** Newest first, at least one, at most 8. */
  readonly signed: readonly SignedPrekeySecret[];
  /** Oldest first, at most 1,000. */
  readonly oneTime: readonly OneTimePrekeySecret[];
}

/**
 * The first prekeys of a person: a signed pair, no one-time prekeys. `now` in seconds since 1970.
 *
 * @param firstId number of the first prekey, not 0. Where the prekeys of a lost device may still be in
 * use, one at random: a letter to the lost ones is then known for what it is by its numbers.
 */
export async function createPrekeys(
  now: number,
  firstId = 1,
): Promise<PrekeySecrets> {
  return await withNewSigned(
    { nextId: firstId, signed: [], oneTime: [] },
    now,
  );
}

/** Adds `count` one-time prekeys; `added` is what to publish. */
export async function addOneTimePrekeys(
  secrets: PrekeySecrets,
  count: number,
): Promise<{ secrets: PrekeySecrets; added: OneTimePrekey[] }> {
  const made = await Promise.all(
    Array.from({ length: count }, async (_, i) => ({
      id: secrets.nextId + i,
      ...await newDh(),
    })),
  );
  return {
    secrets: {
      ...secrets,
      nextId: secrets.nextId + count,
      oneTime: [...secrets.oneTime, ...made].slice(-ONE_TIME_LIMIT),
    },
    added: made.map(({ id, dhPublic }) => ({ id, publicKey: dhPublic })),
  };
}

/**
 * `secrets` without the one-time prekey `id`. Forgetting it, durably, before the letter that used it
 * is acknowledged is what makes that letter unreadable later and refuses its replay.
 */
export function forgetOneTimePrekey(
  secrets: PrekeySecrets,
  id: number,
): PrekeySecrets {
  return {
    ...secrets,
    oneTime: secrets.oneTime.filter((prekey) => prekey.id !== id),
  };
}

/** Whether the signed prekey is older than 7 days at `now` (seconds since 1970). */
export function prekeyRotationDue(
  secrets: PrekeySecrets,
  now: number,
): boolean {
  return now - secrets.signed[0]!.createdAt > PREKEY_LIFETIME_S;
}

/**
 * `secrets` without the signed prekeys that were replaced more than 14 days before `now`. The time
 * counts from the making of the successor: whoever was away for months can still open what was
 * written to the old prekey meanwhile.
 */
export function forgetExpiredPrekeys(
  secrets: PrekeySecrets,
  now: number,
): PrekeySecrets {
  const kept = secrets.signed.filter((_, i) => {
    const successor = secrets.signed[i - 1];
    return successor === undefined ||
      now - successor.createdAt <= PREKEY_GRACE_S;
  });
  return kept.length === secrets.signed.length
    ? secrets
    : { ...secrets, signed: kept };
}

/**
 * Applies the rule of rotation at `now`: a new signed prekey if the newest is older than 7 days, none
 * kept longer than 14 days after it was replaced. The same value if there is nothing to do.
 */
export async function rotatePrekeys(
  secrets: PrekeySecrets,
  now: number,
): Promise<PrekeySecrets> {
  const rotated = prekeyRotationDue(secrets, now)
    ? await withNewSigned(secrets, now)
    : secrets;
  return forgetExpiredPrekeys(rotated, now);
}

/** The signed bundle of the newest prekeys, 1,329 bytes. */
export async function publishBundle(
  own: OwnParty,
  secrets: PrekeySecrets,
): Promise<Bytes> {
  const newest = secrets.signed[0]!;
  return await signBundle(own, {
    certificateId: own.certificate.id,
    createdAt: newest.createdAt,
    signedId: newest.signedId,
    signedKey: newest.dhPublic,
    kemId: newest.kemId,
    kemKey: (await importKem(newest.kemSeed)).publicKey,
  });
}

/** For the vault. It holds private keys and must be sealed before it is written anywhere. */
export function encodePrekeySecrets(secrets: PrekeySecrets): Bytes {
  const writer = new Writer(1_024)
    .u8(VERSION)
    .u32(secrets.nextId)
    .u8(secrets.signed.length);
  for (const prekey of secrets.signed) {
    writer.u32(prekey.signedId).u32(prekey.kemId)
      .u64(BigInt(prekey.createdAt))
      .bytes(prekey.dhPrivate).bytes(prekey.dhPublic).bytes(prekey.kemSeed);
  }
  writer.u16(secrets.oneTime.length);
  for (const prekey of secrets.oneTime) {
    writer.u32(prekey.id).bytes(prekey.dhPrivate).bytes(prekey.dhPublic);
  }
  return writer.done();
}

/**
 * Inverse of `encodePrekeySecrets`.
 *
 * @throws {MalformedError} if the bytes are not its output.
 */
export function decodePrekeySecrets(bytes: Uint8Array): PrekeySecrets {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== VERSION) {
    throw new MalformedError(`Cannot read prekey secrets: version ${version}`);
  }
  const nextId = reader.u32();
  const signed = times(reader.u8(), 1, SIGNED_LIMIT, () => ({
    signedId: reader.u32(),
    kemId: reader.u32(),
    createdAt: Number(reader.u64()),
    dhPrivate: reader.take(X25519_BYTES),
    dhPublic: reader.take(X25519_BYTES),
    kemSeed: reader.take(KEM_SEED_BYTES),
  }));
  const oneTime = times(reader.u16(), 0, ONE_TIME_LIMIT, () => ({
    id: reader.u32(),
    dhPrivate: reader.take(X25519_BYTES),
    dhPublic: reader.take(X25519_BYTES),
  }));
  reader.end();
  return { nextId, signed, oneTime };
}

async function withNewSigned(
  secrets: PrekeySecrets,
  now: number,
): Promise<PrekeySecrets> {
  const made: SignedPrekeySecret = {
    signedId: secrets.nextId,
    kemId: secrets.nextId + 1,
    createdAt: now,
    ...await newDh(),
    kemSeed: await exportKem(await generateKem(true)),
  };
  return {
    ...secrets,
    nextId: secrets.nextId + 2,
    signed: [made, ...secrets.signed].slice(0, SIGNED_LIMIT),
  };
}

async function newDh(): Promise<{ dhPrivate: Bytes; dhPublic: Bytes }> {
  const pair = await generateDh(true);
  return { dhPrivate: await exportDh(pair), dhPublic: pair.publicKey };
}

function times<T>(
  count: number,
  least: number,
  most: number,
  read: () => T,
): T[] {
  if (count < least || count > most) {
    throw new MalformedError(
      `Cannot read prekey secrets: ${count} prekeys, ${least} to ${most} are allowed`,
    );
  }
  return Array.from({ length: count }, read);
}
