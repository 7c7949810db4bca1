import {
  NODE_CERTIFICATE_BYTES,
  parseNodeCertificate,
} from "../../identity/mod.ts";
import type { NodeCertificate, NodeKeyring } from "../../identity/mod.ts";
import type { Bytes, Reader } from "../../protocol/mod.ts";
import {
  concat,
  HASH_BYTES,
  MalformedError,
  sign,
  SIGNATURE_BYTES,
  utf8,
  verify,
  Writer,
} from "../../protocol/mod.ts";
import { isAscending } from "../byte_order.ts";
import { RELAY_LIMIT } from "../consensus_body.ts";
import { isWhole, readWhole, writeWhole } from "../whole_number.ts";

const LABEL = utf8("sotto consensus vote v1\0");

/** One relay that a controller holds to be running. */
export interface VoteEntry {
  /** Which relay, 32 bytes. */
  readonly fingerprint: Bytes;
  /** When its descriptor was made, in seconds since 1970. */
  readonly publishedAt: number;
  /** The digest of its descriptor, 32 bytes. */
  readonly digest: Bytes;
  /** Whether the controller has known it for long enough to be a guard. */
  readonly guard: boolean;
}

/** What a controller votes for, in one ballot. */
export interface VoteFields {
  /** The height of the consensus to be made. */
  readonly height: number;
  /** The hash of the consensus before it, 32 bytes. */
  readonly previous: Bytes;
  /** The ballot: a higher one takes the place of a lower one; each belongs to one leader. */
  readonly ballot: number;
  /** The voter's clock, in seconds since 1970. */
  readonly time: number;
  /** Seconds from one consensus to the next. */
  readonly interval: number;
  /** Seconds for which a consensus is valid. */
  readonly lifetime: number;
  /** The highest ballot in which the voter has announced a body of this height; 0 if in none. */
  readonly acceptedBallot: number;
  /** The hash of that body; zeros if there is none. */
  readonly acceptedHash: Bytes;
  /** Relays, ascending by fingerprint. */
  readonly entries: readonly VoteEntry[];
}

/** A vote that was read; its signature has not been looked at. */
export interface UncheckedVote extends VoteFields {
  /** The voter's certificate, not parsed. */
  readonly certificate: Bytes;
  /** As it is handed over. */
  readonly bytes: Bytes;
}

/** A vote whose signature is its voter's. */
export interface Vote extends UncheckedVote {
  /** Whose vote it is. */
  readonly voter: NodeCertificate;
}

/** Signs a vote: certificate (559) ‖ the fields ‖ signature (64). */
export async function signVote(
  fields: VoteFields,
  keyring: NodeKeyring,
): Promise<Vote> {
  const writer = new Writer(1_024).bytes(keyring.certificate.bytes);
  writeFields(writer, fields);
  const body = writer.done();
  const signature = await sign(keyring.signing.privateKey, concat(LABEL, body));
  return {
    ...fields,
    certificate: keyring.certificate.bytes,
    voter: keyring.certificate,
    bytes: concat(body, signature),
  };
}

/** Reads a vote. @throws {MalformedError} if it is none. */
export function readVote(reader: Reader): UncheckedVote {
  const certificate = reader.take(NODE_CERTIFICATE_BYTES);
  const fields = readFields(reader);
  const signature = reader.take(SIGNATURE_BYTES);
  const writer = new Writer(1_024).bytes(certificate);
  writeFields(writer, fields);
  return {
    ...fields,
    certificate,
    bytes: writer.bytes(signature).done(),
  };
}

/** Verifies the signatures of a vote. @throws {MalformedError} if one does not match. */
export async function checkVote(vote: UncheckedVote): Promise<Vote> {
  const voter = await parseNodeCertificate(vote.certificate);
  const end = vote.bytes.length - SIGNATURE_BYTES;
  const signature = vote.bytes.slice(end);
  const message = concat(LABEL, vote.bytes.subarray(0, end));
  if (!await verify(voter.signingKey, signature, message)) {
    throw malformed("the signature does not match");
  }
  return { ...vote, voter };
}

function writeFields(writer: Writer, fields: VoteFields): void {
  const { height, previous, ballot, time, interval, lifetime } = fields;
  writeWhole(writer, height).bytes(previous);
  writeWhole(writer, ballot);
  writeWhole(writer, time);
  writeWhole(writer, interval);
  writeWhole(writer, lifetime);
  writeWhole(writer, fields.acceptedBallot).bytes(fields.acceptedHash);
  writer.u32(fields.entries.length);
  for (const entry of fields.entries) {
    writer.bytes(entry.fingerprint);
    writeWhole(writer, entry.publishedAt).bytes(entry.digest)
      .u8(entry.guard ? 1 : 0);
  }
}

function readFields(reader: Reader): VoteFields {
  const height = readWhole(reader);
  const previous = reader.take(HASH_BYTES);
  const ballot = readWhole(reader);
  const time = readWhole(reader);
  const interval = readWhole(reader);
  const lifetime = readWhole(reader);
  const acceptedBallot = readWhole(reader);
  const acceptedHash = reader.take(HASH_BYTES);
  const count = reader.u32();
  if (count > RELAY_LIMIT) throw malformed(`${count} relays`);
  const entries = Array.from({ length: count }, () => readEntry(reader));
  if (!isAscending(entries.map(({ fingerprint }) => fingerprint))) {
    throw malformed("its relays are not in order");
  }
  // Sums of these must stay numbers that are held exactly.
  const year = 31_622_400;
  if (
    interval < 1 || interval > year || lifetime > year ||
    !isWhole(time + 2 * year)
  ) throw malformed("its times are none");
  return {
    height,
    previous,
    ballot,
    time,
    interval,
    lifetime,
    acceptedBallot,
    acceptedHash,
    entries,
  };
}

function readEntry(reader: Reader): VoteEntry {
  const fingerprint = reader.take(HASH_BYTES);
  const publishedAt = readWhole(reader);
  const digest = reader.take(HASH_BYTES);
  const guard = reader.u8();
  if (guard > 1) throw malformed("a flag is neither 0 nor 1");
  return { fingerprint, publishedAt, digest, guard: guard === 1 };
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read a vote: ${seen}`);
}
