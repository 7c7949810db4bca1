import type { Bytes } from "../../protocol/mod.ts";
import {
  fromUtf8,
  MalformedError,
  Reader,
  utf8,
  Writer,
} from "../../protocol/mod.ts";
import { END_REASONS } from "./stream_error.ts";
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

/** BEGIN: port (2) ‖ length (1) ‖ host. @throws {RangeError} if the host is too long. */
export function encodeBegin({ host, port }: Destination): Bytes {
  const name = utf8(host);
  if (name.length > HOST_LIMIT) {
    throw new RangeError(`Cannot name a host: ${name.length} bytes`);
  }
  return new Writer(260).u16(port).u8(name.length).bytes(name).done();
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

/** RESOLVE: length (1) ‖ name. */
export function encodeResolve(name: string): Bytes {
  const bytes = utf8(name);
  return new Writer(256).u8(bytes.length).bytes(bytes).done();
}

/** Inverse of `encodeResolve`. @throws {MalformedError} */
export function parseResolve(data: Bytes): string {
  const reader = new Reader(data);
  const name = readHost(reader);
  reader.end();
  return name;
}

/** RESOLVED: count (1), then length (1) ‖ text of each. */
export function encodeResolved(answers: readonly string[]): Bytes {
  const shown = answers.slice(0, ADDRESSES_LIMIT);
  const writer = new Writer(1_024).u8(shown.length);
  for (const answer of shown) {
    const bytes = utf8(answer);
    writer.u8(bytes.length).bytes(bytes);
  }
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
  const name = fromUtf8(reader.prefixed(1, HOST_LIMIT));
  // deno-lint-ignore no-control-regex -- what no name may hold is exactly these
  if (name.length === 0 || /[\x00-\x20\x7f]/.test(name)) {
    throw new MalformedError("Cannot read a name: it is none");
  }
  return name;
}
