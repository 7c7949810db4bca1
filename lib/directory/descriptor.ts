import {
  NODE_CERTIFICATE_BYTES,
  parseNodeCertificate,
} from "../identity/mod.ts";
import type { NodeCertificate, NodeKeyring } from "../identity/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import {
  concat,
  fromUtf8,
  HASH_BYTES,
  MalformedError,
  Reader,
  sha256,
  sign,
  SIGNATURE_BYTES,
  utf8,
  verify,
  Writer,
  X25519_BYTES,
} from "../protocol/mod.ts";
import { isAscending, sameBytes } from "./byte_order.ts";
import { ExitPolicy } from "./exit_policy.ts";
import type { RelayAddress } from "./relay_address.ts";
import { readRelayAddress, writeRelayAddress } from "./relay_address.ts";
import { ALL_ROLES } from "./relay_flags.ts";
import { readWhole, writeWhole } from "./whole_number.ts";

/** Longest encoded descriptor, in bytes. */
export const DESCRIPTOR_LIMIT = 4_096;
/** Relays of one operator that a descriptor may name. */
export const FAMILY_LIMIT = 32;

const LABEL = utf8("sotto relay descriptor v1\0");
const VERSION = 1;
/** Printable ASCII without blanks. */
const SOFTWARE = /^[!-~]{0,32}$/;
const SOFTWARE_LIMIT = 32;
const POLICY_LIMIT = 2_048;

/** What a relay says of itself. */
export interface DescriptorFields {
  /** X25519 public key with which hops of circuits are made, 32 bytes; changed now and then. */
  readonly onionKey: Bytes;
  /** Where other relays and clients connect to. */
  readonly address: RelayAddress;
  /** What it connects to as an exit. */
  readonly policy: ExitPolicy;
  /** Bytes per second that it offers. */
  readonly bandwidth: number;
  /** Fingerprints (32 bytes each) of relays of the same operator, ascending; at most 32. */
  readonly family: readonly Bytes[];
  /** A set of `ROLE_...` bits. */
  readonly roles: number;
  /** Of the software: at most 32 printable ASCII characters without blanks. */
  readonly version: string;
  /** Seconds since 1970; of two descriptors of one relay the later counts. */
  readonly publishedAt: number;
}

/** A descriptor that its relay has signed. */
export interface RelayDescriptor extends DescriptorFields {
  /** Who the relay is. Its `dhKey` is the key of the links to it. */
  readonly identity: NodeCertificate;
  /** As it is handed over, at most 4,096 bytes. */
  readonly bytes: Bytes;
  /** SHA-256 of `bytes`. */
  readonly digest: Bytes;
}

/**
 * Signs what a relay says of itself: version (1 byte) ‖ node certificate (559) ‖ onion key (32) ‖
 * address ‖ bandwidth (8) ‖ roles (1) ‖ publishedAt (8) ‖ software version ‖ family ‖ policy ‖
 * signature (64), over a label and all that stands before it.
 *
 * @throws {RangeError} if a field is out of its range, or the whole longer than 4,096 bytes.
 */
export async function signDescriptor(
  fields: DescriptorFields,
  keyring: NodeKeyring,
): Promise<RelayDescriptor> {
  const body = encodeBody(fields, keyring.certificate.bytes);
  const signature = await sign(
    keyring.signing.privateKey,
    concat(LABEL, body),
  );
  const bytes = concat(body, signature);
  if (bytes.length > DESCRIPTOR_LIMIT) {
    throw refused(`${bytes.length} bytes, at most ${DESCRIPTOR_LIMIT}`);
  }
  return {
    ...fields,
    identity: keyring.certificate,
    bytes,
    digest: await sha256(bytes),
  };
}

/**
 * Reads a descriptor and verifies both signatures in it: that of the node certificate and that of the
 * whole. It proves that the relay itself has named this onion key and this address, not that it can
 * be reached there.
 *
 * @throws {MalformedError} if it does not parse to the last byte, is longer than 4,096 bytes, or a
 * signature does not match.
 */
export async function parseDescriptor(
  bytes: Uint8Array,
): Promise<RelayDescriptor> {
  if (bytes.length > DESCRIPTOR_LIMIT) {
    throw malformed(`${bytes.length} bytes, at most ${DESCRIPTOR_LIMIT}`);
  }
  const whole = new Uint8Array(bytes);
  const reader = new Reader(whole);
  const version = reader.u8();
  if (version !== VERSION) {
    throw malformed(`version ${version}, only ${VERSION} is known`);
  }
  const certificate = reader.take(NODE_CERTIFICATE_BYTES);
  const fields = readFields(reader);
  const signature = reader.take(SIGNATURE_BYTES);
  reader.end();
  const identity = await parseNodeCertificate(certificate);
  const body = whole.subarray(0, whole.length - SIGNATURE_BYTES);
  const message = concat(LABEL, body);
  if (!await verify(identity.signingKey, signature, message)) {
    throw malformed("the signature does not match");
  }
  return { ...fields, identity, bytes: whole, digest: await sha256(whole) };
}

function encodeBody(fields: DescriptorFields, certificate: Bytes): Bytes {
  const { onionKey, bandwidth, roles, version, family, policy } = fields;
  if (onionKey.length !== X25519_BYTES) throw refused("no X25519 key");
  if ((roles & ~ALL_ROLES) !== 0) throw refused("no such role");
  if (!SOFTWARE.test(version)) throw refused("a version that is none");
  if (
    family.length > FAMILY_LIMIT || !isAscending(family) ||
    family.some((each) => each.length !== HASH_BYTES)
  ) throw refused("a family that is not up to 32 ascending fingerprints");
  const writer = new Writer(1_024).u8(VERSION).bytes(certificate)
    .bytes(onionKey);
  writeRelayAddress(writer, fields.address);
  writeWhole(writer, bandwidth).u8(roles);
  writeWhole(writer, fields.publishedAt).prefixed(1, utf8(version));
  writer.u8(family.length);
  for (const each of family) writer.bytes(each);
  return writer.prefixed(2, utf8(policy.toString())).done();
}

function readFields(reader: Reader): DescriptorFields {
  const onionKey = reader.take(X25519_BYTES);
  const address = readRelayAddress(reader);
  const bandwidth = readWhole(reader);
  const roles = reader.u8();
  if ((roles & ~ALL_ROLES) !== 0) throw malformed("no such role");
  const publishedAt = readWhole(reader);
  const version = fromUtf8(reader.prefixed(1, SOFTWARE_LIMIT));
  if (!SOFTWARE.test(version)) throw malformed("its version is none");
  const count = reader.u8();
  if (count > FAMILY_LIMIT) throw malformed(`a family of ${count}`);
  const family = Array.from({ length: count }, () => reader.take(HASH_BYTES));
  if (!isAscending(family)) throw malformed("its family is not in order");
  const policy = readPolicy(reader.prefixed(2, POLICY_LIMIT));
  return {
    onionKey,
    address,
    policy,
    bandwidth,
    family,
    roles,
    version,
    publishedAt,
  };
}

/** Only the canonical text is taken, so that one policy has one encoding. */
function readPolicy(bytes: Bytes): ExitPolicy {
  const policy = ExitPolicy.parse(fromUtf8(bytes));
  if (!sameBytes(utf8(policy.toString()), bytes)) {
    throw malformed("its policy is not in canonical form");
  }
  return policy;
}

function refused(why: string): RangeError {
  return new RangeError(`Cannot sign a relay descriptor: ${why}`);
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read a relay descriptor: ${seen}`);
}
