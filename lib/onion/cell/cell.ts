import type { Bytes } from "../../protocol/mod.ts";
import { AEAD_TAG_BYTES, MalformedError } from "../../protocol/mod.ts";

/**
 * Cells, as they travel over a link (SPEC.md §12.2; tor-spec §3). A header is sealed together with its
 * neighbours; the body of one of two sizes goes behind as it is, because the layers seal it already.
 */

/**
 * A body is as long as one of these, in bytes. A whole handshake fits into a small one, with the keys of
 * ML-KEM; a large one fills a record, because every cell costs a call into the thread pool at every hop,
 * whatever its length.
 */
export const BODY_BYTES = [1_536, 65_536] as const;
/** Index into `BODY_BYTES`. */
export type CellSize = 0 | 1;
/** For control, handshakes and little data. */
export const SMALL: CellSize = 0;
/** For data in bulk. */
export const LARGE: CellSize = 1;

/** What flow control counts: 512 bytes of cells. */
export const UNIT_BYTES = 512;
/** Units of a small cell, and of a large one. */
export const UNITS = [3, 128] as const;

/** Hops that a circuit may have. */
export const HOPS_LIMIT = 8;

/** A layer is the plaintext of its relay behind one byte that says for whom it is, and a tag. */
export const LAYER_OVERHEAD = 1 + AEAD_TAG_BYTES;

/** What a cell is for (tor-spec §3, in our own numbers). */
export const CELL = {
  PADDING: 0,
  CREATE: 1,
  CREATED: 2,
  RELAY: 3,
  DESTROY: 4,
} as const;

/** Why a circuit is destroyed (tor-spec §5.4): the numbers that a DESTROY carries are the indices. */
export const DESTROY_REASONS = [
  "requested",
  "protocol",
  "internal",
  "resource-limit",
  "connect-failed",
  "unknown-relay",
  "wrong-onion-key",
  "link-gone",
  "hibernating",
  "too-many-circuits",
  "timeout",
] as const;

/** One of {@linkcode DESTROY_REASONS}. */
export type DestroyReason = typeof DESTROY_REASONS[number];

/** The header of a cell. */
export interface CellHeader {
  /** Chosen by the side that opened the link; 0 only for PADDING. */
  readonly circuit: number;
  /** One of `CELL`. */
  readonly command: number;
  /** How long the body is. */
  readonly size: CellSize;
  /** For DESTROY the number of the reason, otherwise 0. */
  readonly detail: number;
}

/** Length of an encoded header in bytes: circuit (4) ‖ command (1) ‖ size (1) ‖ detail (2). */
export const HEADER_BYTES = 8;
/** Headers that one record may hold. */
export const HEADERS_LIMIT = 64;

/** The headers behind each other. */
export function encodeHeaders(headers: readonly CellHeader[]): Bytes {
  const bytes = new Uint8Array(headers.length * HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [i, { circuit, command, size, detail }] of headers.entries()) {
    const at = i * HEADER_BYTES;
    view.setUint32(at, circuit);
    view.setUint8(at + 4, command);
    view.setUint8(at + 5, size);
    view.setUint16(at + 6, detail);
  }
  return bytes;
}

/**
 * Inverse of `encodeHeaders`.
 *
 * @throws {MalformedError} if there is no whole header, or too many, or one of an unknown kind.
 */
export function decodeHeaders(bytes: Bytes): CellHeader[] {
  const count = bytes.length / HEADER_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > HEADERS_LIMIT) {
    throw new MalformedError(`Cannot read cells: ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, i) => {
    const at = i * HEADER_BYTES;
    const circuit = view.getUint32(at);
    const command = view.getUint8(at + 4);
    const size = view.getUint8(at + 5);
    const detail = view.getUint16(at + 6);
    if (command > CELL.DESTROY || size > LARGE) {
      throw new MalformedError(
        `Cannot read a cell: command ${command}, size ${size}`,
      );
    }
    if ((circuit === 0) !== (command === CELL.PADDING)) {
      throw new MalformedError("Cannot read a cell: it has no circuit");
    }
    return { circuit, command, size: size as CellSize, detail };
  });
}

/** The reason that a DESTROY gives; whatever nobody knows is "internal". */
export function destroyReason(detail: number): DestroyReason {
  return DESTROY_REASONS[detail] ?? "internal";
}

/**
 * How much of a body is the sealed layer of the relay at `position` (1 is the guard): every hop takes
 * one layer off, and fills up with random bytes, so that the body stays as long.
 */
export function sealedLength(size: CellSize, position: number): number {
  return BODY_BYTES[size] - (position - 1) * LAYER_OVERHEAD;
}
