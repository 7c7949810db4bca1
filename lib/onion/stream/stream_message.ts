import type { Bytes } from "../../protocol/mod.ts";
import {
  fromUtf8,
  MalformedError,
  Reader,
  utf8,
  Writer,
} from "../../protocol/mod.ts";
import { END_REASONS, StreamError } from "./stream_error.ts";
import type { EndReason } from "./stream_error.ts";

/** What is said about streams (SPEC.md §12.6; tor-spec §6.2 to §6.4). */

/** Longest name of a host in bytes. */
export const HOST_LIMIT = 253;
/** Addresses in one RESOLVED at most. */
export const ADDRESSES_LIMIT = 16;

/** Where a stream goes. */
export interface Destination {
  /** A name or an IP address. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

/**
 * BEGIN: port (2) ‖ length (1) ‖ host.
 *
 * @throws {StreamError} if there can be no such destination: the exit would take it for an attack.
 */
export function encodeBegin({ host, port }: Destination): Bytes {
  if (!(Number.isInteger(port) && port >= 1 && port <= 0xffff)) {
    throw new StreamError("unreachable", `Cannot connect: port ${port}`);
  }
  return new Writer(260).u16(port).prefixed(1, nameOf(host)).done();
}

/** Inverse of `encodeBegin`. @throws {MalformedError} */
export function parseBegin(data: Bytes): Destination {
  const reader = new Reader(data);
  const port = reader.u16();
  const host = readHost(reader);
  reader.end();
  if (port === 0) throw new MalformedError("Cannot open a stream: port 0");
  return { host, port };
}

/** RESOLVE: length (1) ‖ name. @throws {StreamError} if there can be no such name. */
export function encodeResolve(name: string): Bytes {
  return new Writer(256).prefixed(1, nameOf(name)).done();
}

/** Inverse of `encodeResolve`. @throws {MalformedError} */
export function parseResolve(data: Bytes): string {
  const reader = new Reader(data);
  const name = readHost(reader);
  reader.end();
  return name;
}

/**
 * RESOLVED: count (1), then length (1) ‖ text of each. What is no name is left out: anybody can have a
 * name server say anything.
 */
export function encodeResolved(answers: readonly string[]): Bytes {
  const shown = answers.filter((answer) => isName(answer, utf8(answer)))
    .slice(0, ADDRESSES_LIMIT);
  const writer = new Writer(1_024).u8(shown.length);
  for (const answer of shown) writer.prefixed(1, utf8(answer));
  return writer.done();
}

/** Inverse of `encodeResolved`. @throws {MalformedError} */
export function parseResolved(data: Bytes): readonly string[] {
  const reader = new Reader(data);
  const count = reader.u8();
  if (count > ADDRESSES_LIMIT) {
    throw new MalformedError(`Cannot read addresses: ${count} of them`);
  }
  const answers = Array.from({ length: count }, () => readHost(reader));
  reader.end();
  return answers;
}

/** END: the number of the reason (1). */
export function encodeEnd(reason: EndReason): Bytes {
  return Uint8Array.of(END_REASONS.indexOf(reason));
}

/** Inverse of `encodeEnd`; a reason that nobody knows is "misc". @throws {MalformedError} */
export function parseEnd(data: Bytes): EndReason {
  const reader = new Reader(data);
  const number = reader.u8();
  reader.end();
  return END_REASONS[number] ?? "misc";
}

function readHost(reader: Reader): string {
  const bytes = reader.prefixed(1, HOST_LIMIT);
  const name = fromUtf8(bytes);
  if (!isName(name, bytes)) {
    throw new MalformedError("Cannot read a name: it is none");
  }
  return name;
}

function nameOf(host: string): Bytes {
  const bytes = utf8(host);
  if (isName(host, bytes)) return bytes;
  throw new StreamError("resolve-failed", "Cannot name a host: it is no name");
}

/** Whether both sides take it for the name of a host, or an address. */
function isName(name: string, { length }: Bytes): boolean {
  // deno-lint-ignore no-control-regex -- what no name may hold is exactly these
  return length > 0 && length <= HOST_LIMIT && !/[\x00-\x20\x7f]/.test(name);
}
