import type { Bytes } from "../protocol/mod.ts";
import {
  concat,
  MalformedError,
  Reader,
  sha256,
  Writer,
} from "../protocol/mod.ts";
import { isAscending, sameBytes } from "./byte_order.ts";
import type { ConsensusHeader, ConsensusTimes } from "./consensus_header.ts";
import { encodeHeader, readHeader } from "./consensus_header.ts";
import type { RelayDescriptor } from "./descriptor.ts";
import { DESCRIPTOR_LIMIT } from "./descriptor.ts";
import { parseDescriptors } from "./descriptor_list.ts";
import { ALL_FLAGS } from "./relay_flags.ts";

/** Relays in a consensus at most. */
export const RELAY_LIMIT = 10_000;

/** One relay as the controllers see it. */
export interface ConsensusRelay {
  /** What it says of itself, under its own signature. */
  readonly descriptor: RelayDescriptor;
  /** A set of `FLAG_...` bits, which the controllers have set. */
  readonly flags: number;
}

/** A consensus without its signatures: what is agreed on. */
export interface ConsensusBody extends ConsensusHeader {
  /** Ascending by fingerprint, none twice; at most 10,000. */
  readonly relays: readonly ConsensusRelay[];
  /** SHA-256 of the header, 32 bytes. */
  readonly hash: Bytes;
  /** The encoded body. */
  readonly body: Bytes;
}

/** Descriptors that were verified before, by their digest in hexadecimal. */
export type KnownDescriptors = ReadonlyMap<string, RelayDescriptor>;

/** What a body holds, read but not looked into. */
export interface RawBody {
  /** As it stands there; nothing compared yet. */
  readonly header: ConsensusHeader;
  /** Flags and encoded descriptor of each relay. */
  readonly entries: readonly { readonly flags: number; readonly raw: Bytes }[];
  /** The encoded body. */
  readonly body: Bytes;
}

/**
 * Makes a body: header (97 bytes) ‖ number of relays (4) ‖ for each flags (1), length (2), descriptor.
 *
 * @throws {RangeError} if the relays are more than 10,000 or not ascending, or the times are none.
 */
export async function makeBody(
  times: ConsensusTimes,
  relays: readonly ConsensusRelay[],
): Promise<ConsensusBody> {
  const prints = relays.map((each) => each.descriptor.identity.fingerprint);
  if (relays.length > RELAY_LIMIT || !isAscending(prints)) {
    throw new RangeError("Cannot encode a consensus: relays not ascending");
  }
  const writer = new Writer(4 + relays.length * 1_024).u32(relays.length);
  for (const { flags, descriptor } of relays) {
    writer.u8(flags).prefixed(2, descriptor.bytes);
  }
  const rest = writer.done();
  const { height, previous, validAfter, freshUntil, validUntil } = times;
  const header = {
    height,
    previous,
    validAfter,
    freshUntil,
    validUntil,
    contents: await sha256(rest),
  };
  const head = encodeHeader(header);
  return {
    ...header,
    relays,
    hash: await sha256(head),
    body: concat(head, rest),
  };
}

/** Reads a body from the front of what `reader` has. @throws {MalformedError} if there is none. */
export function readRawBody(reader: Reader): RawBody {
  const header = readHeader(reader);
  const count = reader.u32();
  if (count > RELAY_LIMIT) {
    throw malformed(`${count} relays, at most ${RELAY_LIMIT}`);
  }
  const writer = new Writer(4_096).bytes(encodeHeader(header)).u32(count);
  const entries = [];
  for (let i = 0; i < count; i++) {
    const flags = reader.u8();
    if ((flags & ~ALL_FLAGS) !== 0) throw malformed("no such flag");
    const raw = reader.prefixed(2, DESCRIPTOR_LIMIT);
    writer.u8(flags).prefixed(2, raw);
    entries.push({ flags, raw });
  }
  return { header, entries, body: writer.done() };
}

/**
 * Looks into a body: verifies the hash of its contents and every descriptor in it.
 *
 * @param known descriptors that need not be verified again.
 * @throws {MalformedError} if something does not match, or the relays are not in order.
 */
export async function openBody(
  { header, entries, body }: RawBody,
  known: KnownDescriptors = new Map(),
): Promise<ConsensusBody> {
  const head = encodeHeader(header);
  const rest = body.subarray(head.length);
  if (!sameBytes(await sha256(rest), header.contents)) {
    throw malformed("its contents are not those that its header names");
  }
  const raws = entries.map(({ raw }) => raw);
  const descriptors = [...(await parseDescriptors(raws, known)).values()];
  // One that stands twice is one entry of the map: the numbers differ then.
  if (descriptors.length !== entries.length) {
    throw malformed("a descriptor stands twice");
  }
  const relays = entries.map(({ flags }, i) => ({
    flags,
    descriptor: descriptors[i]!,
  }));
  if (!isAscending(relays.map((r) => r.descriptor.identity.fingerprint))) {
    throw malformed("its relays are not in order, or one stands twice");
  }
  return { ...header, relays, hash: await sha256(head), body };
}

/** Reads a body that stands alone. @throws {MalformedError} if it is not exactly one. */
export async function parseBody(
  bytes: Uint8Array,
  known?: KnownDescriptors,
): Promise<ConsensusBody> {
  const reader = new Reader(bytes);
  const raw = readRawBody(reader);
  reader.end();
  return await openBody(raw, known);
}

/** The descriptors in a body, for `openBody` of the next. */
export function descriptorsOf(body: ConsensusBody): KnownDescriptors {
  return new Map(
    body.relays.map(({ descriptor }) => [
      descriptor.digest.toHex(),
      descriptor,
    ]),
  );
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read a consensus: ${seen}`);
}
