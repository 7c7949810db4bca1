import type { Bytes } from "../protocol/mod.ts";
import {
  HASH_BYTES,
  MalformedError,
  Reader,
  sha256,
  Writer,
} from "../protocol/mod.ts";
import { readWhole, writeWhole } from "./whole_number.ts";

/** Length of an encoded header in bytes. */
export const HEADER_BYTES = 97;
/** What stands for the consensus before the first. */
export const NO_CONSENSUS: Bytes = new Uint8Array(HASH_BYTES);

const VERSION = 1;

/** The place of a consensus in the chain and in time. */
export interface ConsensusTimes {
  /** 1 for the first, one more for each that follows. */
  readonly height: number;
  /** The hash of the consensus before, 32 bytes; zeros before the first. */
  readonly previous: Bytes;
  /** When it begins to be valid, in seconds since 1970. */
  readonly validAfter: number;
  /** From then on a newer one should be fetched. */
  readonly freshUntil: number;
  /** From then on it must not be used any more. */
  readonly validUntil: number;
}

/**
 * What stands at the head of a consensus, and stands for all of it: its hash is the hash of the
 * consensus, so that a chain can be followed without the relays in it.
 */
export interface ConsensusHeader extends ConsensusTimes {
  /** SHA-256 of everything between the header and the signatures. */
  readonly contents: Bytes;
}

/**
 * Version (1 byte) ‖ height (8) ‖ previous (32) ‖ validAfter (8) ‖ freshUntil (8) ‖ validUntil (8) ‖
 * contents (32): 97 bytes.
 *
 * @throws {RangeError} if the times are not in their order, or a number is none.
 */
export function encodeHeader(header: ConsensusHeader): Bytes {
  if (!isOrdered(header)) {
    throw new RangeError("Cannot encode a consensus: its times are no times");
  }
  const writer = new Writer(HEADER_BYTES).u8(VERSION);
  writeWhole(writer, header.height).bytes(header.previous);
  writeWhole(writer, header.validAfter);
  writeWhole(writer, header.freshUntil);
  return writeWhole(writer, header.validUntil).bytes(header.contents).done();
}

/** Inverse of `encodeHeader`. @throws {MalformedError} if it is none. */
export function readHeader(reader: Reader): ConsensusHeader {
  const version = reader.u8();
  if (version !== VERSION) {
    throw malformed(`version ${version}, only ${VERSION} is known`);
  }
  const height = readWhole(reader);
  const previous = reader.take(HASH_BYTES);
  const validAfter = readWhole(reader);
  const freshUntil = readWhole(reader);
  const validUntil = readWhole(reader);
  const contents = reader.take(HASH_BYTES);
  const header = {
    height,
    previous,
    validAfter,
    freshUntil,
    validUntil,
    contents,
  };
  if (!isOrdered(header)) throw malformed("its times are not in order");
  return header;
}

/** Reads a header that stands alone. @throws {MalformedError} if it is not exactly one. */
export function parseHeader(bytes: Uint8Array): ConsensusHeader {
  const reader = new Reader(bytes);
  const header = readHeader(reader);
  reader.end();
  return header;
}

/** The hash of the consensus with this header: SHA-256 of the encoded header. */
export function hashHeader(header: ConsensusHeader): Promise<Bytes> {
  return sha256(encodeHeader(header));
}

function isOrdered(times: ConsensusTimes): boolean {
  const { height, validAfter, freshUntil, validUntil } = times;
  return height >= 1 && validAfter < freshUntil && freshUntil <= validUntil;
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read a consensus: ${seen}`);
}
