/**
 * The Double Ratchet (Signal, revision 1) as functions from state to state: every letter has its own
 * key, gone once used, and every round trip brings a fresh Diffie-Hellman secret that heals a stolen
 * state. A call that throws leaves the caller with the state it had. It keeps nothing and reads no
 * clock; two calls must never start from one state side by side, for both would use one key.
 *
 * @module
 */
import {
  CryptoError,
  dh,
  equalConstantTime,
  exportDh,
  hkdfSha256,
  importDh,
  utf8,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { advance, openSealed, sealLetter } from "./chain.ts";
import type { Chain } from "./chain.ts";
import { SYSTEM_KEYS } from "./key_source.ts";
import type { KeySource } from "./key_source.ts";
import { RatchetError } from "./ratchet_error.ts";
import { encodeRatchetHeader, parseRatchetHeader } from "./ratchet_header.ts";
import type { RatchetHeader } from "./ratchet_header.ts";
import { RETIRED_LIMIT, SKIPPED_LIMIT } from "./ratchet_state.ts";
import type { LocalKey, RatchetState, SkippedKey } from "./ratchet_state.ts";

/** MAX_SKIP (Double Ratchet §3.2): so many letters of one chain may be missing before the next. */
export const GAP_LIMIT = 1_000;

const ROOT_INFO = utf8("sotto ratchet root v1");
const NOTHING_YET = {
  local: null,
  remote: null,
  sending: null,
  receiving: null,
  previous: 0,
  skipped: [],
  retired: [],
} as const;

/** What a letter carries, known only once its header is. */
export interface LetterBody {
  /** What is encrypted. */
  readonly plaintext: Bytes;
  /** Associated data of the seal; must contain or imply the header. */
  readonly associated: Bytes;
}

/** RatchetInitAlice (§3.3). `remote` is the responder's signed X25519 prekey (§5.1). */
export function startRatchet(secret: Bytes, remote: Bytes): RatchetState {
  return { ...NOTHING_YET, root: secret, remote };
}

/** RatchetInitBob (§3.3). `local` is the pair of the signed X25519 prekey that was used. */
export function acceptRatchet(secret: Bytes, local: LocalKey): RatchetState {
  return { ...NOTHING_YET, root: secret, local };
}

/**
 * Seals one letter (RatchetEncrypt, §3.4).
 *
 * @param compose makes the letter's content once its header (40 bytes) is known.
 * @throws {RatchetError} `ERR_RATCHET_WAITING` before the responder has opened a letter;
 * `ERR_RATCHET_END` after 2^32 - 1 letters without an answer.
 */
export async function encrypt(
  state: RatchetState,
  compose: (header: Bytes) => Promise<LetterBody>,
  keySourceForTesting = SYSTEM_KEYS,
): Promise<{ state: RatchetState; header: Bytes; sealed: Bytes }> {
  const { local, sending, turned } = await sendingChain(
    state,
    keySourceForTesting,
  );
  const header = encodeRatchetHeader({
    key: local.publicKey,
    previous: turned.previous,
    number: sending.next,
  });
  const { chain, messageKey } = await advance(sending);
  const { plaintext, associated } = await compose(header);
  return {
    state: { ...turned, sending: chain },
    header,
    sealed: await sealLetter(messageKey, plaintext, associated),
  };
}

/**
 * Opens one letter (RatchetDecrypt, §3.5), in whatever order letters come.
 *
 * A header is not authentic before its letter opens. Until then a forged one costs at most one
 * Diffie-Hellman and 2,000 steps of a chain, and leaves no trace in the state.
 *
 * @param header 40 bytes.
 * @throws {RatchetError} `ERR_RATCHET_USED`, `ERR_RATCHET_UNOPENED`, `ERR_RATCHET_TOO_FAR`.
 */
export async function decrypt(
  state: RatchetState,
  header: Bytes,
  sealed: Bytes,
  associated: Bytes,
): Promise<{ state: RatchetState; plaintext: Bytes }> {
  const parsed = parseRatchetHeader(header);
  const kept = state.skipped.findIndex((skipped) =>
    skipped.number === parsed.number &&
    equalConstantTime(skipped.remote, parsed.key)
  );
  if (kept >= 0) {
    const { messageKey } = state.skipped[kept]!;
    return {
      plaintext: await openSealed(messageKey, sealed, associated),
      state: { ...state, skipped: state.skipped.toSpliced(kept, 1) },
    };
  }
  refuseUsed(state, parsed);
  const turned =
    state.remote !== null && equalConstantTime(state.remote, parsed.key)
      ? state
      : await turn(state, parsed);
  const ready = await skipTo(turned, parsed.number);
  const { chain, messageKey } = await advance(receivingChain(ready));
  return {
    plaintext: await openSealed(messageKey, sealed, associated),
    state: { ...ready, receiving: chain },
  };
}

/** The chain to send with; the ratchet turns if the peer's key is newer than one's own. */
async function sendingChain(
  state: RatchetState,
  keys: KeySource,
): Promise<{ local: LocalKey; sending: Chain; turned: RatchetState }> {
  if (state.local !== null && state.sending !== null) {
    return { local: state.local, sending: state.sending, turned: state };
  }
  if (state.remote === null) {
    throw new RatchetError(
      "ERR_RATCHET_WAITING",
      "Cannot seal a letter: none of the other side's has been opened",
    );
  }
  const pair = await keys.dh();
  const { root, key } = await stepRoot(
    state.root,
    await dh(pair.privateKey, state.remote),
  );
  const local = {
    privateKey: await exportDh(pair),
    publicKey: pair.publicKey,
  };
  const sending = { key, next: 0 };
  return { local, sending, turned: { ...state, root, local, sending } };
}

/** Throws if the header names a key that is gone. Keys still kept have been looked up before. */
function refuseUsed(state: RatchetState, header: RatchetHeader): void {
  const current = state.remote !== null && state.receiving !== null &&
    equalConstantTime(state.remote, header.key) &&
    header.number < state.receiving.next;
  if (
    current || state.retired.some((key) => equalConstantTime(key, header.key))
  ) {
    throw new RatchetError(
      "ERR_RATCHET_USED",
      "Cannot open a letter: its key was used or thrown away",
    );
  }
}

/** The receiving half of DHRatchet (§3.5), after the keys still due on the old chain are kept. */
async function turn(
  state: RatchetState,
  header: RatchetHeader,
): Promise<RatchetState> {
  if (state.local === null) throw unopened("it starts a chain out of turn");
  // Before the Diffie-Hellman, so that such a forgery costs nothing.
  if (header.number > GAP_LIMIT) throw tooFar(header.number);
  const { root, key } = await stepRoot(
    state.root,
    await agree(state.local, header.key),
  );
  const finished = state.receiving === null
    ? state
    : await skipTo(state, header.previous);
  return {
    root,
    local: null,
    remote: header.key,
    sending: null,
    receiving: { key, next: 0 },
    previous: state.sending === null ? 0 : state.sending.next,
    skipped: finished.skipped,
    retired: state.remote === null || state.receiving === null
      ? state.retired
      : [...state.retired, state.remote].slice(-RETIRED_LIMIT),
  };
}

/** SkipMessageKeys (§3.5): keeps the keys of the letters before `number` that have not come. */
async function skipTo(
  state: RatchetState,
  number: number,
): Promise<RatchetState> {
  let chain = receivingChain(state);
  if (number - chain.next > GAP_LIMIT) throw tooFar(number - chain.next);
  if (number <= chain.next) return state;
  const missing: SkippedKey[] = [];
  while (chain.next < number) {
    const step = await advance(chain);
    missing.push({
      remote: state.remote!,
      number: chain.next,
      messageKey: step.messageKey,
    });
    chain = step.chain;
  }
  return {
    ...state,
    receiving: chain,
    skipped: [...state.skipped, ...missing].slice(-SKIPPED_LIMIT),
  };
}

function receivingChain(state: RatchetState): Chain {
  if (state.receiving === null) {
    throw unopened("it belongs to a chain that never began");
  }
  return state.receiving;
}

/** KDF_RK (§5.2): the next root key and a chain key. */
async function stepRoot(
  root: Bytes,
  shared: Bytes,
): Promise<{ root: Bytes; key: Bytes }> {
  const output = await hkdfSha256(shared, root, ROOT_INFO, 64);
  return { root: output.slice(0, 32), key: output.slice(32) };
}

async function agree(local: LocalKey, remote: Bytes): Promise<Bytes> {
  const { privateKey } = await importDh(local.privateKey);
  try {
    return await dh(privateKey, remote);
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw unopened("its ratchet key allows no agreement", cause);
  }
}

function unopened(what: string, cause?: unknown): RatchetError {
  return new RatchetError(
    "ERR_RATCHET_UNOPENED",
    `Cannot open a letter: ${what}`,
    { cause },
  );
}

function tooFar(missing: number): RatchetError {
  return new RatchetError(
    "ERR_RATCHET_TOO_FAR",
    `Cannot open a letter: ${missing} before it are missing, at most ${GAP_LIMIT} are allowed`,
  );
}
