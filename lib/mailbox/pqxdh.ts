import {
  concat,
  CryptoError,
  decapsulate,
  dh,
  hkdfSha256,
  importDh,
  importKem,
  KEM_CIPHERTEXT_BYTES,
  Reader,
  sha256,
  utf8,
  Writer,
  X25519_BYTES,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { SYSTEM_KEYS } from "./key_source.ts";
import type { OwnParty, Party } from "./party.ts";
import { PrekeyError } from "./prekey_bundle.ts";
import type { OneTimePrekey, PrekeyBundle } from "./prekey_bundle.ts";
import type { PrekeySecrets, SignedPrekeySecret } from "./prekey_secrets.ts";

/** Length of the initial block in bytes. */
export const INITIAL_BLOCK_BYTES: number = 32 + X25519_BYTES + 3 * 4 +
  KEM_CIPHERTEXT_BYTES;
/** Length of a session id in bytes. */
export const SESSION_ID_BYTES = 8;

/** PQXDH §2.1: application, curve, hash and KEM. */
const INFO = utf8("sotto PQXDH v1 X25519 SHA-256 ML-KEM-768");
/** PQXDH §2.2: 32 bytes for Curve25519, which keep the input apart from what XEdDSA hashes. */
const F = new Uint8Array(32).fill(0xff);
/** PQXDH §2.2: as long as the hash's output. */
const SALT = new Uint8Array(32);
const SESSION_ID_LABEL = utf8("sotto session id v1\0");

/** What the initiator tells the responder so that both reach one secret. */
export interface InitialBlock {
  /** Id of the initiator's certificate, 32 bytes. */
  readonly initiator: Bytes;
  /** Ephemeral X25519 key, 32 bytes. */
  readonly ephemeral: Bytes;
  /** Number of the responder's X25519 prekey. */
  readonly signedId: number;
  /** Number of the responder's ML-KEM-768 prekey. */
  readonly kemId: number;
  /** Number of the one-time prekey, 0 if none was used. */
  readonly oneTimeId: number;
  /** ML-KEM-768 ciphertext, 1,088 bytes. */
  readonly kemCiphertext: Bytes;
}

/** What both sides have after the key agreement. */
export interface Agreement {
  /** 32 bytes, known to the two only. */
  readonly secret: Bytes;
  /** Initiator's certificate id ‖ responder's certificate id: goes into every seal (PQXDH §3.3). */
  readonly associated: Bytes;
  /** Names the session in the open, 8 bytes. */
  readonly sessionId: Bytes;
}

/**
 * The initiator's side of PQXDH (revision 3, §3.3). No re-encapsulation attack (§4.12) is open:
 * ML-KEM binds its shared secret to the encapsulation key (FIPS 203 §6.2), which the bundle signs.
 *
 * @param bundle of `peer`, already verified.
 * @param oneTime one of the peer's one-time prekeys, if the server still had one.
 * @returns the agreement and the block (1,164 bytes) for the responder.
 * @throws {PrekeyError} `ERR_PREKEY_UNUSABLE` if a public key allows no agreement.
 */
export async function initiate(
  own: OwnParty,
  peer: Party,
  bundle: PrekeyBundle,
  oneTime: OneTimePrekey | null,
  keySourceForTesting = SYSTEM_KEYS,
): Promise<Agreement & { readonly block: Bytes }> {
  return await unusable(async () => {
    const ephemeral = await keySourceForTesting.dh();
    const kem = await keySourceForTesting.encapsulate(bundle.kemKey);
    const secrets = [
      dh(own.dh.privateKey, bundle.signedKey),
      dh(ephemeral.privateKey, peer.dhKey),
      dh(ephemeral.privateKey, bundle.signedKey),
    ];
    if (oneTime !== null) {
      secrets.push(dh(ephemeral.privateKey, oneTime.publicKey));
    }
    const agreed = await all(secrets);
    const block = encodeInitialBlock({
      initiator: own.certificate.id,
      ephemeral: ephemeral.publicKey,
      signedId: bundle.signedId,
      kemId: bundle.kemId,
      oneTimeId: oneTime === null ? 0 : oneTime.id,
      kemCiphertext: kem.ciphertext,
    });
    const associated = concat(own.certificate.id, peer.id);
    return {
      ...await agreement([...agreed, kem.secret], associated, block),
      block,
    };
  });
}

/**
 * The responder's side of PQXDH (§3.4). That the two secrets are equal shows only when the letter
 * around the block opens: an altered KEM ciphertext gives another secret, not an error.
 *
 * @param peer the certificate that the block names.
 * @returns the agreement, the signed prekey that was used (with which the ratchet starts) and the
 * number of the one-time prekey, 0 if none was used.
 * @throws {PrekeyError} `ERR_PREKEY_UNKNOWN` if a prekey is not held (any more),
 * `ERR_PREKEY_UNUSABLE` if a public key allows no agreement.
 */
export async function respond(
  own: OwnParty,
  peer: Party,
  prekeys: PrekeySecrets,
  blockBytes: Bytes,
): Promise<
  Agreement & {
    readonly signed: SignedPrekeySecret;
    readonly oneTimeId: number;
  }
> {
  const block = parseInitialBlock(blockBytes);
  const signed = prekeys.signed.find((prekey) =>
    prekey.signedId === block.signedId && prekey.kemId === block.kemId
  );
  const oneTime = prekeys.oneTime.find(({ id }) => id === block.oneTimeId);
  if (
    signed === undefined || (block.oneTimeId !== 0 && oneTime === undefined)
  ) {
    throw new PrekeyError(
      "ERR_PREKEY_UNKNOWN",
      "Cannot accept a session: the letter names a prekey that is not held",
    );
  }
  return await unusable(async () => {
    const [prekey, kem, once] = await Promise.all([
      importDh(signed.dhPrivate),
      importKem(signed.kemSeed),
      oneTime === undefined ? null : importDh(oneTime.dhPrivate),
    ]);
    const secrets = [
      dh(prekey.privateKey, peer.dhKey),
      dh(own.dh.privateKey, block.ephemeral),
      dh(prekey.privateKey, block.ephemeral),
    ];
    if (once !== null) secrets.push(dh(once.privateKey, block.ephemeral));
    secrets.push(decapsulate(kem.privateKey, block.kemCiphertext));
    const associated = concat(peer.id, own.certificate.id);
    return {
      ...await agreement(await all(secrets), associated, blockBytes),
      signed,
      oneTimeId: block.oneTimeId,
    };
  });
}

/**
 * Reads the initial block: certificate id 32 ‖ ephemeral 32 ‖ signed prekey id u32 ‖ KEM prekey id
 * u32 ‖ one-time prekey id u32 ‖ KEM ciphertext 1,088.
 *
 * @throws {MalformedError} if the bytes are not 1,164.
 */
export function parseInitialBlock(bytes: Uint8Array): InitialBlock {
  const reader = new Reader(bytes);
  const block: InitialBlock = {
    initiator: reader.take(32),
    ephemeral: reader.take(X25519_BYTES),
    signedId: reader.u32(),
    kemId: reader.u32(),
    oneTimeId: reader.u32(),
    kemCiphertext: reader.take(KEM_CIPHERTEXT_BYTES),
  };
  reader.end();
  return block;
}

function encodeInitialBlock(block: InitialBlock): Bytes {
  return new Writer(INITIAL_BLOCK_BYTES)
    .bytes(block.initiator)
    .bytes(block.ephemeral)
    .u32(block.signedId)
    .u32(block.kemId)
    .u32(block.oneTimeId)
    .bytes(block.kemCiphertext)
    .done();
}

/** PQXDH §3.3: SK = KDF(DH1 ‖ DH2 ‖ DH3 ‖ [DH4] ‖ SS). */
async function agreement(
  secrets: readonly Bytes[],
  associated: Bytes,
  block: Bytes,
): Promise<Agreement> {
  const [secret, digest] = await Promise.all([
    hkdfSha256(concat(F, ...secrets), SALT, INFO, 32),
    sha256(concat(SESSION_ID_LABEL, associated, block)),
  ]);
  return { secret, associated, sessionId: digest.slice(0, SESSION_ID_BYTES) };
}

/** Names what a failed agreement means here; anything but a `CryptoError` passes as it is. */
async function unusable<T>(agree: () => Promise<T>): Promise<T> {
  try {
    return await agree();
  } catch (cause) {
    if (!(cause instanceof CryptoError)) throw cause;
    throw new PrekeyError(
      "ERR_PREKEY_UNUSABLE",
      "Cannot agree on a key: a public key of the other side is unusable",
      { cause },
    );
  }
}

/** As `Promise.all`, but when one fails the others have come to their end too: nothing is left running. */
async function all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}
