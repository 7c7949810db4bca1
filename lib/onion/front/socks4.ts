import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { latin1 } from "./credentials.ts";
import type { Destination } from "./destination.ts";
import { addressText, parseHost } from "./destination.ts";
import type { Parsed } from "./parsed.ts";

/** First byte of a SOCKS4 request. */
export const SOCKS4_VERSION = 4;

/** The only thing a SOCKS4 client is given; BIND (2) is refused. */
export const SOCKS4_CONNECT = 1;

/** Longest user id and longest name, in bytes; SOCKS4 itself names no limit. */
const TEXT_LIMIT = 255;

/** What a client wants. */
export interface Socks4Request extends Destination {
  /** {@linkcode SOCKS4_CONNECT} or another number. */
  readonly command: number;
  /** The user id as Latin-1; often empty. */
  readonly user: string;
}

/**
 * A request of SOCKS4, or of 4a, in which an address 0.0.0.x (x not 0) says that a name follows.
 *
 * @throws {MalformedError} if it is none.
 */
export function parseSocks4Request(
  bytes: Uint8Array,
): Parsed<Socks4Request> | undefined {
  if (bytes.length > 0 && bytes[0] !== SOCKS4_VERSION) {
    throw new MalformedError("Cannot read SOCKS4: it is of another version");
  }
  if (bytes.length < 9) return undefined;
  const userEnd = endOfText(bytes, 8);
  if (userEnd === undefined) return undefined;
  const address = bytes.subarray(4, 8);
  const named = address[0] === 0 && address[1] === 0 && address[2] === 0 &&
    address[3] !== 0;
  const end = named ? endOfText(bytes, userEnd + 1) : userEnd;
  if (end === undefined) return undefined;
  const value = {
    command: bytes[1]!,
    host: named
      ? parseHost(latin1(bytes.subarray(userEnd + 1, end)))
      : addressText(address),
    port: bytes[2]! << 8 | bytes[3]!,
    user: latin1(bytes.subarray(8, userEnd)),
  };
  return { value, length: end + 1 };
}

/** An answer: 90 for yes, 91 for no; there is nothing finer. */
export function socks4Reply(granted: boolean): Bytes {
  return new Uint8Array([0, granted ? 90 : 91, 0, 0, 0, 0, 0, 0]);
}

/** Where the zero byte is that ends the text from `start` on. */
function endOfText(bytes: Uint8Array, start: number): number | undefined {
  const end = bytes.subarray(start, start + TEXT_LIMIT + 1).indexOf(0);
  if (end >= 0) return start + end;
  if (bytes.length - start > TEXT_LIMIT) {
    throw new MalformedError("Cannot read SOCKS4: a text in it has no end");
  }
  return undefined;
}
