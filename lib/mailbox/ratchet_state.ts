import {
  MalformedError,
  Reader,
  Writer,
  X25519_BYTES,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { CHAIN_KEY_BYTES, MESSAGE_KEY_BYTES } from "./chain.ts";
import type { Chain } from "./chain.ts";

/** So many keys of missing letters are kept in all; beyond, the oldest are thrown away. */
export const SKIPPED_LIMIT = 2_000;
/** So many finished chains of the peer are remembered, to tell a duplicate from a forgery. */
export const RETIRED_LIMIT = 32;

const VERSION = 1;
const ROOT_BYTES = 32;
const HAS_LOCAL = 1;
const HAS_REMOTE = 2;
const HAS_SENDING = 4;
const HAS_RECEIVING = 8;

/** One's own ratchet pair (X25519), raw, so that the state is plain bytes. */
export interface LocalKey {
  /** 32 bytes. */
  readonly privateKey: Bytes;
  /** 32 bytes. */
  readonly publicKey: Bytes;
}

/** The key of a letter that has not come yet. */
export interface SkippedKey {
  /** The peer's ratchet key of its chain, 32 bytes. */
  readonly remote: Bytes;
  /** Its number in the chain. */
  readonly number: number;
  /** Message key, 44 bytes. */
  readonly messageKey: Bytes;
}

/**
 * Everything one side knows (Double Ratchet §3.2); a value, never changed.
 *
 * New ratchet pairs are made when one writes, not when one reads (§6.5): `local` and `sending` are
 * null from the moment a new key of the peer came until the next letter out, for the peer cannot turn
 * its ratchet again before it has seen a new key.
 */
export interface RatchetState {
  /** Root key, 32 bytes. */
  readonly root: Bytes;
  /** The pair of `sending`, or the responder's prekey before the first letter. */
  readonly local: LocalKey | null;
  /** The peer's newest ratchet key, 32 bytes; null until the responder has opened a letter. */
  readonly remote: Bytes | null;
  /** For one's own letters. */
  readonly sending: Chain | null;
  /** For the peer's letters that bear `remote`. */
  readonly receiving: Chain | null;
  /** How many letters one's own previous chain had. */
  readonly previous: number;
  /** Oldest first, at most 2,000. */
  readonly skipped: readonly SkippedKey[];
  /** The peer's ratchet keys before `remote`, oldest first, at most 32 of 32 bytes. */
  readonly retired: readonly Bytes[];
}

/** For the vault. It holds keys and must be sealed before it is written anywhere. */
export function encodeRatchetState(state: RatchetState): Bytes {
  const { local, remote, sending, receiving } = state;
  const writer = new Writer(512)
    .u8(VERSION)
    .u8(
      (local === null ? 0 : HAS_LOCAL) | (remote === null ? 0 : HAS_REMOTE) |
        (sending === null ? 0 : HAS_SENDING) |
        (receiving === null ? 0 : HAS_RECEIVING),
    )
    .bytes(state.root);
  if (local !== null) writer.bytes(local.privateKey).bytes(local.publicKey);
  if (remote !== null) writer.bytes(remote);
  for (const chain of [sending, receiving]) {
    if (chain !== null) writer.bytes(chain.key).u32(chain.next);
  }
  writer.u32(state.previous).u8(state.retired.length);
  for (const key of state.retired) writer.bytes(key);
  writer.u16(state.skipped.length);
  for (const { remote, number, messageKey } of state.skipped) {
    writer.bytes(remote).u32(number).bytes(messageKey);
  }
  return writer.done();
}

/**
 * Inverse of `encodeRatchetState`.
 *
 * @throws {MalformedError} if the bytes are not its output.
 */
export function decodeRatchetState(bytes: Uint8Array): RatchetState {
  const reader = new Reader(bytes);
  const version = reader.u8();
  const has = reader.u8();
  if (version !== VERSION || !HELD_TOGETHER.has(has)) {
    throw new MalformedError(
      `Cannot read a ratchet state: version ${version}, parts ${has}`,
    );
  }
  const state: RatchetState = {
    root: reader.take(ROOT_BYTES),
    local: (has & HAS_LOCAL) === 0 ? null : {
      privateKey: reader.take(X25519_BYTES),
      publicKey: reader.take(X25519_BYTES),
    },
    remote: (has & HAS_REMOTE) === 0 ? null : reader.take(X25519_BYTES),
    sending: (has & HAS_SENDING) === 0 ? null : readChain(reader),
    receiving: (has & HAS_RECEIVING) === 0 ? null : readChain(reader),
    previous: reader.u32(),
    retired: times(
      reader.u8(),
      RETIRED_LIMIT,
      () => reader.take(X25519_BYTES),
    ),
    skipped: times(reader.u16(), SKIPPED_LIMIT, () => ({
      remote: reader.take(X25519_BYTES),
      number: reader.u32(),
      messageKey: reader.take(MESSAGE_KEY_BYTES),
    })),
  };
  reader.end();
  return state;
}

/** The states that the ratchet passes through; no other combination of parts means anything. */
const HELD_TOGETHER: ReadonlySet<number> = new Set([
  HAS_REMOTE, // the initiator before the first letter
  HAS_LOCAL, // the responder before the first letter
  HAS_REMOTE | HAS_LOCAL | HAS_SENDING, // the initiator before the first answer
  HAS_REMOTE | HAS_RECEIVING, // after a new key of the peer
  HAS_REMOTE | HAS_RECEIVING | HAS_LOCAL | HAS_SENDING, // after writing
]);

function readChain(reader: Reader): Chain {
  return { key: reader.take(CHAIN_KEY_BYTES), next: reader.u32() };
}

function times<T>(count: number, limit: number, read: () => T): T[] {
  if (count > limit) {
    throw new MalformedError(
      `Cannot read a ratchet state: ${count} keys, at most ${limit} are allowed`,
    );
  }
  return Array.from({ length: count }, read);
}
