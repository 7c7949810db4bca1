import {
  concat,
  equalConstantTime,
  KEM_PUBLIC_BYTES,
  MalformedError,
  Reader,
  sign,
  SIGNATURE_BYTES,
  utf8,
  verify,
  Writer,
  X25519_BYTES,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import type { OwnParty, Party } from "./party.ts";

/**
 * Why prekeys cannot be used:
 * - `ERR_PREKEY_IDENTITY`: the bundle belongs to another certificate;
 * - `ERR_PREKEY_SIGNATURE`: the certificate's key did not sign it;
 * - `ERR_PREKEY_UNUSABLE`: a public key in it allows no agreement (low order, not an ML-KEM key);
 * - `ERR_PREKEY_UNKNOWN`: a letter names a prekey whose private half is not held (any more).
 */
export type PrekeyErrorCode =
  | "ERR_PREKEY_IDENTITY"
  | "ERR_PREKEY_SIGNATURE"
  | "ERR_PREKEY_UNUSABLE"
  | "ERR_PREKEY_UNKNOWN";

/** Prekeys that cannot be used; `code` says why. */
export class PrekeyError extends Error {
  /** Name of the class. */
  override readonly name = "PrekeyError";
  /** Stable, for programs. */
  readonly code: PrekeyErrorCode;

  /** With the reason as a `code`. */
  constructor(code: PrekeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const VERSION = 1;
const LABEL = utf8("sotto prekey bundle v1\0");
const BODY_BYTES = 1 + 32 + 8 + 4 + X25519_BYTES + 4 + KEM_PUBLIC_BYTES;

/** Length of a signed bundle in bytes: 1,329. */
export const BUNDLE_BYTES: number = BODY_BYTES + SIGNATURE_BYTES;
/** Length of a public one-time prekey in bytes: id u32 ‖ X25519 32. */
export const ONE_TIME_PREKEY_BYTES: number = 4 + X25519_BYTES;

/** What a person publishes so that others can write to them while they are away (PQXDH §3.2). */
export interface PrekeyBundle {
  /** SHA-256 of the owner's certificate, 32 bytes. */
  readonly certificateId: Bytes;
  /** When the prekeys were made, in seconds since 1970. */
  readonly createdAt: number;
  /** Number of the X25519 prekey, never 0. */
  readonly signedId: number;
  /** X25519 prekey, 32 bytes. */
  readonly signedKey: Bytes;
  /** Number of the ML-KEM-768 prekey, never 0. */
  readonly kemId: number;
  /** ML-KEM-768 encapsulation key, 1,184 bytes. */
  readonly kemKey: Bytes;
}

/**
 * A prekey for one session only. It bears no signature (X3DH §3.2, PQXDH §3.2): it is only ever added to an agreement that the signed keys already carry. A server that
 * swaps it makes the letter unreadable, which it could have by dropping the letter, and one that
 * knows its private half has learnt no more than if none had been used.
 */
export interface OneTimePrekey {
  /** Number of the prekey, never 0. */
  readonly id: number;
  /** X25519 public key, 32 bytes. */
  readonly publicKey: Bytes;
}

/**
 * Signs `bundle` with the owner's Ed25519 key.
 *
 * version u8 ‖ certificate id 32 ‖ createdAt u64 ‖ signed prekey id u32 ‖ X25519 32 ‖ KEM prekey id
 * u32 ‖ ML-KEM-768 1,184 ‖ signature 64 over label ‖ all before.
 *
 * @returns 1,329 bytes.
 */
export async function signBundle(
  own: OwnParty,
  bundle: PrekeyBundle,
): Promise<Bytes> {
  const body = new Writer(BUNDLE_BYTES)
    .u8(VERSION)
    .bytes(bundle.certificateId)
    .u64(BigInt(bundle.createdAt))
    .u32(bundle.signedId)
    .bytes(bundle.signedKey)
    .u32(bundle.kemId)
    .bytes(bundle.kemKey);
  const signature = await sign(own.signing.privateKey, signed(body.done()));
  return body.bytes(signature).done();
}

/**
 * Reads a bundle and checks that `owner` signed it.
 *
 * Its age is the caller's to judge: an old bundle is what an honest server has of somebody who was
 * away, and what a lying one shows to make people use an older key.
 *
 * @throws {MalformedError} if the bytes are no bundle.
 * @throws {PrekeyError} if it is another's, or not signed by the owner.
 */
export async function parseBundle(
  bytes: Uint8Array,
  owner: Party,
): Promise<PrekeyBundle> {
  const whole = new Reader(bytes);
  const unsigned = whole.take(BODY_BYTES);
  const signature = whole.take(SIGNATURE_BYTES);
  whole.end();
  const body = new Reader(unsigned);
  const version = body.u8();
  if (version !== VERSION) {
    throw new MalformedError(
      `Cannot read a prekey bundle: version ${version}`,
    );
  }
  const bundle: PrekeyBundle = {
    certificateId: body.take(32),
    createdAt: seconds(body.u64()),
    signedId: prekeyId(body.u32()),
    signedKey: body.take(X25519_BYTES),
    kemId: prekeyId(body.u32()),
    kemKey: body.take(KEM_PUBLIC_BYTES),
  };
  if (!equalConstantTime(bundle.certificateId, owner.id)) {
    throw new PrekeyError(
      "ERR_PREKEY_IDENTITY",
      "Cannot use a prekey bundle: it belongs to another certificate",
    );
  }
  if (!await verify(owner.signingKey, signature, signed(unsigned))) {
    throw new PrekeyError(
      "ERR_PREKEY_SIGNATURE",
      "Cannot use a prekey bundle: its signature does not verify",
    );
  }
  return bundle;
}

/** Public one-time prekeys behind each other, 36 bytes each. */
export function encodeOneTimePrekeys(
  prekeys: readonly OneTimePrekey[],
): Bytes {
  const writer = new Writer(prekeys.length * ONE_TIME_PREKEY_BYTES);
  for (const { id, publicKey } of prekeys) writer.u32(id).bytes(publicKey);
  return writer.done();
}

/**
 * Inverse of `encodeOneTimePrekeys`.
 *
 * @param limit how many are allowed.
 * @throws {MalformedError} if there are more, one is cut short, or one has the number 0.
 */
export function parseOneTimePrekeys(
  bytes: Uint8Array,
  limit: number,
): OneTimePrekey[] {
  if (bytes.length > limit * ONE_TIME_PREKEY_BYTES) {
    throw new MalformedError(
      `Cannot read one-time prekeys: more than ${limit}`,
    );
  }
  const reader = new Reader(bytes);
  const prekeys: OneTimePrekey[] = [];
  while (reader.left > 0) {
    prekeys.push({
      id: prekeyId(reader.u32()),
      publicKey: reader.take(X25519_BYTES),
    });
  }
  return prekeys;
}

/** 0 is the wire's word for "none", so no prekey may have it. */
function prekeyId(id: number): number {
  if (id === 0) throw new MalformedError("Cannot read a prekey: its id is 0");
  return id;
}

function seconds(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new MalformedError("Cannot read a time: beyond 2^53 seconds");
  }
  return Number(value);
}

function signed(body: Bytes): Bytes {
  return concat(LABEL, body);
}
