import type { Bytes } from "../../protocol/mod.ts";
import { AEAD_TAG_BYTES, MalformedError } from "../../protocol/mod.ts";
import { LARGE, sealedLength, SMALL } from "./cell.ts";
import type { CellSize } from "./cell.ts";

/**
 * What two ends of a circuit say to each other within the innermost layer (SPEC.md §12.5; tor-spec
 * §6.1): whom it is for (1) ‖ command (1) ‖ stream (2) ‖ length (2) ‖ data ‖ zeros.
 */

/** Relay commands, with Tor's names. */
export const RELAY = {
  DATA: 0,
  BEGIN: 1,
  CONNECTED: 2,
  END: 3,
  SENDME: 4,
  EXTEND: 5,
  EXTENDED: 6,
  RESOLVE: 7,
  RESOLVED: 8,
  DROP: 9,
  INTRODUCE: 10,
  INTRODUCED: 11,
  ESTABLISH_INTRO: 12,
  INTRO_ESTABLISHED: 13,
  ESTABLISH_RENDEZVOUS: 14,
  RENDEZVOUS_ESTABLISHED: 15,
  RENDEZVOUS: 16,
  RENDEZVOUS_JOINED: 17,
  PUBLISH: 18,
  PUBLISHED: 19,
  FETCH: 20,
  FETCHED: 21,
} as const;

/** First byte of a layer: another relay's layer follows, or a message for whoever took this one off. */
export const FORWARD = 0;
/** As `FORWARD`: the message is for this relay, or from it. */
export const HERE = 1;

/** Where the data of a message begins within its layer. */
export const MESSAGE_HEADER_BYTES = 6;

/** A message between two ends of a circuit. */
export interface RelayMessage {
  /** One of `RELAY`. */
  readonly command: number;
  /** The stream that it belongs to; 0 is the circuit itself. */
  readonly stream: number;
  /** What it carries; a view. */
  readonly data: Bytes;
}

/** How many bytes of data a cell of this size holds for the relay at `position`. */
export function capacity(size: CellSize, position: number): number {
  return sealedLength(size, position) - AEAD_TAG_BYTES - MESSAGE_HEADER_BYTES;
}

/** The smallest cell that holds so much for the relay at `position`. */
export function sizeFor(length: number, position: number): CellSize {
  return length <= capacity(SMALL, position) ? SMALL : LARGE;
}

/** An empty layer for the relay at `position`, whose data can be written in place. */
export function blankLayer(size: CellSize, position: number): Bytes {
  return new Uint8Array(sealedLength(size, position) - AEAD_TAG_BYTES);
}

/** Writes the header of a message in front of `length` bytes of data that lie in `layer` already. */
export function writeMessageHeader(
  layer: Bytes,
  command: number,
  stream: number,
  length: number,
): void {
  layer[0] = HERE;
  layer[1] = command;
  layer[2] = stream >> 8;
  layer[3] = stream & 0xff;
  layer[4] = length >> 8;
  layer[5] = length & 0xff;
}

/**
 * The plaintext of the innermost layer that carries a message.
 *
 * @throws {RangeError} if the data do not fit.
 */
export function encodeMessage(
  { command, stream, data }: RelayMessage,
  size: CellSize,
  position: number,
): Bytes {
  const layer = blankLayer(size, position);
  if (data.length > layer.length - MESSAGE_HEADER_BYTES) {
    throw new RangeError(`Cannot send a message: ${data.length} bytes`);
  }
  writeMessageHeader(layer, command, stream, data.length);
  layer.set(data, MESSAGE_HEADER_BYTES);
  return layer;
}

/**
 * Reads a message out of a layer whose first byte was `HERE`. The data are a view of it.
 *
 * @throws {MalformedError} if the length passes the end.
 */
export function decodeMessage(layer: Bytes): RelayMessage {
  const length = layer[4]! << 8 | layer[5]!;
  if (length > layer.length - MESSAGE_HEADER_BYTES) {
    throw new MalformedError(`Cannot read a message: ${length} bytes`);
  }
  return {
    command: layer[1]!,
    stream: layer[2]! << 8 | layer[3]!,
    data: layer.subarray(MESSAGE_HEADER_BYTES, MESSAGE_HEADER_BYTES + length),
  };
}
