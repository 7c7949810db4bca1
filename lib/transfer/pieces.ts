import { MalformedError, Reader, Writer } from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import {
  CHUNK_BYTES,
  plaintextLength,
  SEALED_CHUNK_BYTES,
} from "./sealed_blob/sizes.ts";

/**
 * A piece is what travels at a time, with its SHA-256 and an answer of its own (S0.9): a run of 32
 * sealed chunks. The last piece of a blob is shorter. Half as many chunks make a transfer a quarter
 * slower, because every piece costs as many calls; twice as many only take more memory.
 */
export const CHUNKS_PER_PIECE = 32;
/** Length in bytes of a piece that is not the last. */
export const PIECE_BYTES: number = CHUNKS_PER_PIECE * SEALED_CHUNK_BYTES;
/** Bytes of plaintext in it. */
export const PIECE_PLAINTEXT: number = CHUNKS_PER_PIECE * CHUNK_BYTES;
/** Most pieces of a blob: 512 GiB. */
export const PIECES_LIMIT = 2 ** 20;

/** How a blob of `size` bytes is cut. */
export interface Cutting {
  /** All sealed chunks in bytes, without the header. */
  readonly size: number;
  /** How many pieces there are, at least 1. */
  readonly count: number;
}

/**
 * How a blob is cut.
 *
 * @param size of all sealed chunks in bytes, without the header.
 * @throws {MalformedError} if no sealed blob has this size, or it is above 512 GiB.
 */
export function cutting(size: number): Cutting {
  plaintextLength(size);
  const count = Math.ceil(size / PIECE_BYTES);
  if (count > PIECES_LIMIT) {
    throw new MalformedError(`Cannot take a blob: ${size} bytes`);
  }
  return { size, count };
}

/** Length in bytes of piece `index`. */
export function pieceLength({ size, count }: Cutting, index: number): number {
  return index === count - 1 ? size - index * PIECE_BYTES : PIECE_BYTES;
}

/**
 * Which pieces are there, as ARRIVED has it: number of the first and count of each run, u32 each.
 * Of very many runs only the first 8,000 are said: the others are sent once more.
 */
export function encodeArrived(
  has: (index: number) => boolean,
  count: number,
): Bytes {
  const writer = new Writer();
  let runs = 0;
  for (let at = 0; at < count && runs < 8_000; at++) {
    if (!has(at)) continue;
    const first = at;
    while (at < count && has(at)) at++;
    writer.u32(first).u32(at - first);
    runs++;
  }
  return writer.done();
}

/**
 * The pieces that are missing, rising.
 *
 * @throws {MalformedError} if `arrived` names pieces that the blob does not have.
 */
export function missingPieces(arrived: Bytes, count: number): number[] {
  const reader = new Reader(arrived);
  const missing: number[] = [];
  let next = 0;
  while (reader.left > 0) {
    const first = reader.u32();
    const length = reader.u32();
    if (first < next || length === 0 || first + length > count) {
      throw new MalformedError("Cannot read which pieces have arrived");
    }
    for (; next < first; next++) missing.push(next);
    next = first + length;
  }
  for (; next < count; next++) missing.push(next);
  return missing;
}

/** The numbers of pieces, u32 each. */
export function encodePieces(pieces: readonly number[]): Bytes {
  const writer = new Writer(pieces.length * 4);
  for (const piece of pieces) writer.u32(piece);
  return writer.done();
}

/** @throws {MalformedError} if the bytes are no numbers. */
export function parsePieces(bytes: Bytes): number[] {
  const reader = new Reader(bytes);
  const pieces: number[] = [];
  while (reader.left > 0) pieces.push(reader.u32());
  return pieces;
}
