import {
  NODE_CERTIFICATE_BYTES,
  parseNodeCertificate,
} from "../../identity/mod.ts";
import type { NodeCertificate, NodeKeyring } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import {
  concat,
  ED25519_BYTES,
  equalConstantTime,
  HASH_BYTES,
  MalformedError,
  Reader,
  sign,
  SIGNATURE_BYTES,
  utf8,
  verify,
  Writer,
  X25519_BYTES,
} from "../../protocol/mod.ts";

/** Introduction points that a descriptor can name. */
export const POINTS_LIMIT = 6;
/** Longest time for which a descriptor is good, in seconds: a day. */
export const LIFETIME_LIMIT = 86_400;
/** How far the clock of a service may be ahead, in seconds. */
const CLOCK_SLACK = 3_600;

const LABEL = utf8("sotto service descriptor v1\0");
const VERSION = 1;

/** Where a service can be asked for. */
export interface PointFields {
  /** Fingerprint of the relay, 32 bytes. */
  readonly relay: Bytes;
  /** Ed25519: names the service to that relay and to nobody else; 32 bytes. */
  readonly authKey: Bytes;
  /** X25519: what is said to the service by way of this point is sealed to it; 32 bytes. */
  readonly sealKey: Bytes;
}

/** What a service says of itself. */
export interface ServiceFields {
  /** One to six. */
  readonly points: readonly PointFields[];
  /** Seconds since 1970; of two descriptors the later counts. */
  readonly publishedAt: number;
  /** Seconds for which it is good, at most a day. */
  readonly lifetime: number;
}

/** A service descriptor that its service has signed. */
export interface ServiceDescriptor extends ServiceFields {
  readonly identity: NodeCertificate;
}

/**
 * Signs what a service says of itself: version (1) ‖ node certificate (559) ‖ publishedAt (8) ‖ lifetime
 * (4) ‖ count (1) ‖ so many times relay (32), authentication key (32), sealing key (32) ‖ signature (64)
 * over a label and all that stands before it.
 *
 * @throws {RangeError} if there are no points or too many, or it is to be good for too long.
 */
export async function signServiceDescriptor(
  { points, publishedAt, lifetime }: ServiceFields,
  keyring: NodeKeyring,
): Promise<Bytes> {
  if (points.length < 1 || points.length > POINTS_LIMIT) {
    throw new RangeError(`Cannot publish a service: ${points.length} points`);
  }
  if (lifetime > LIFETIME_LIMIT) {
    throw new RangeError(`Cannot publish a service: for ${lifetime} s`);
  }
  const writer = new Writer(1_280).u8(VERSION).bytes(keyring.certificate.bytes)
    .u64(BigInt(publishedAt)).u32(lifetime).u8(points.length);
  for (const { relay, authKey, sealKey } of points) {
    writer.bytes(relay).bytes(authKey).bytes(sealKey);
  }
  const body = writer.done();
  const signature = await sign(
    keyring.signing.privateKey,
    concat(LABEL, body),
  );
  return concat(body, signature);
}

/**
 * Reads a service descriptor, behind which zeros may stand, and verifies that the service with this
 * fingerprint has signed it, and that it is good now.
 *
 * @param now seconds since 1970.
 * @throws {MalformedError} if anything about it is not so.
 */
export async function parseServiceDescriptor(
  bytes: Bytes,
  fingerprint: Bytes,
  now: number,
): Promise<ServiceDescriptor> {
  const reader = new Reader(bytes);
  const version = reader.u8();
  if (version !== VERSION) {
    throw malformed(`version ${version}, only ${VERSION} is known`);
  }
  const certificate = reader.take(NODE_CERTIFICATE_BYTES);
  const fields = readFields(reader);
  const body = bytes.subarray(0, bytes.length - reader.left);
  const signature = reader.take(SIGNATURE_BYTES);
  if (reader.rest().some((byte) => byte !== 0)) {
    throw malformed("something follows it");
  }
  const identity = await parseNodeCertificate(certificate);
  if (!equalConstantTime(identity.fingerprint, fingerprint)) {
    throw malformed("it is another service's");
  }
  if (!await verify(identity.signingKey, signature, concat(LABEL, body))) {
    throw malformed("the signature does not match");
  }
  if (fields.publishedAt > now + CLOCK_SLACK) {
    throw malformed("it is from the future");
  }
  if (fields.publishedAt + fields.lifetime < now) {
    throw malformed("it has expired");
  }
  return { ...fields, identity };
}

function readFields(reader: Reader): ServiceFields {
  const publishedAt = reader.u64();
  if (publishedAt > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw malformed("no such time");
  }
  const lifetime = reader.u32();
  if (lifetime > LIFETIME_LIMIT) throw malformed("it is to be good too long");
  const count = reader.u8();
  if (count < 1 || count > POINTS_LIMIT) throw malformed(`${count} points`);
  const points = Array.from({ length: count }, () => ({
    relay: reader.take(HASH_BYTES),
    authKey: reader.take(ED25519_BYTES),
    sealKey: reader.take(X25519_BYTES),
  }));
  return { points, publishedAt: Number(publishedAt), lifetime };
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read a service descriptor: ${seen}`);
}
