import type { Bytes } from "../../protocol/mod.ts";
import { concat, MalformedError } from "../../protocol/mod.ts";
import type { Credentials } from "./credentials.ts";
import { latin1 } from "./credentials.ts";
import type { Destination } from "./destination.ts";
import { addressBytes, addressText, parseHost } from "./destination.ts";
import type { Parsed } from "./parsed.ts";

/** First byte of everything that is said in SOCKS5. */
export const SOCKS5_VERSION = 5;

/** How a client may show who it is (RFC 1928 §3). */
export const SOCKS5_METHODS = { none: 0, password: 2, unacceptable: 0xff };

/** What a client may ask for (RFC 1928 §4; Tor's socks-extensions §3 for the last two). */
export const SOCKS5_COMMANDS = {
  connect: 1,
  bind: 2,
  udp: 3,
  resolve: 0xf0,
  resolvePtr: 0xf1,
};

/** What it is told (RFC 1928 §6). */
export const SOCKS5_REPLIES = {
  succeeded: 0,
  failure: 1,
  notAllowed: 2,
  networkUnreachable: 3,
  hostUnreachable: 4,
  refused: 5,
  ttlExpired: 6,
  commandNotSupported: 7,
  addressNotSupported: 8,
};

const ADDRESS = { ipv4: 1, name: 3, ipv6: 4 };
const PASSWORD_VERSION = 1;

/** What a client wants. */
export interface Socks5Request extends Destination {
  /** One of {@linkcode SOCKS5_COMMANDS}, or a number that is none. */
  readonly command: number;
}

/** The kind of address is none of the three; a client can be told (reply 8). */
export class UnknownAddressError extends MalformedError {}

/** The methods that a client offers: version, count, then as many bytes. */
export function parseGreeting(bytes: Uint8Array): Parsed<Bytes> | undefined {
  if (bytes.length > 0) expectVersion(bytes[0]!, SOCKS5_VERSION);
  if (bytes.length < 2) return undefined;
  const length = 2 + bytes[1]!;
  if (bytes.length < length) return undefined;
  return { value: new Uint8Array(bytes.subarray(2, length)), length };
}

/** A user name and password (RFC 1929 §2). Both may be empty here. */
export function parsePassword(
  bytes: Uint8Array,
): Parsed<Credentials> | undefined {
  if (bytes.length > 0) expectVersion(bytes[0]!, PASSWORD_VERSION);
  if (bytes.length < 2) return undefined;
  const middle = 2 + bytes[1]!;
  if (bytes.length <= middle) return undefined;
  const length = middle + 1 + bytes[middle]!;
  if (bytes.length < length) return undefined;
  const user = latin1(bytes.subarray(2, middle));
  const password = latin1(bytes.subarray(middle + 1, length));
  return { value: { user, password }, length };
}

/**
 * A request: version, command, a zero byte, kind of address, address, port.
 *
 * @throws {UnknownAddressError} for a kind of address that there is not.
 * @throws {MalformedError} if it is none.
 */
export function parseSocks5Request(
  bytes: Uint8Array,
): Parsed<Socks5Request> | undefined {
  if (bytes.length > 0) expectVersion(bytes[0]!, SOCKS5_VERSION);
  if (bytes.length > 2 && bytes[2] !== 0) {
    throw new MalformedError("Cannot read a SOCKS5 request: it has no zero");
  }
  if (bytes.length < 5) return undefined;
  const kind = bytes[3]!;
  const start = kind === ADDRESS.name ? 5 : 4;
  const end = start + addressLength(kind, bytes[4]!);
  const length = end + 2;
  if (bytes.length < length) return undefined;
  const address = bytes.subarray(start, end);
  const host = kind === ADDRESS.name
    ? parseHost(latin1(address))
    : addressText(address);
  const port = bytes[end]! << 8 | bytes[end + 1]!;
  return { value: { command: bytes[1]!, host, port }, length };
}

/** The method that is chosen. */
export function methodReply(method: number): Bytes {
  return new Uint8Array([SOCKS5_VERSION, method]);
}

/** Whether a user name and password will do. */
export function passwordReply(accepted: boolean): Bytes {
  return new Uint8Array([PASSWORD_VERSION, accepted ? 0 : 1]);
}

/**
 * An answer to a request.
 *
 * @param found the address or name that RESOLVE was about; else all zeros are said.
 */
export function socks5Reply(code: number, found?: string): Bytes {
  const head = new Uint8Array([SOCKS5_VERSION, code, 0]);
  const port = new Uint8Array(2);
  const address = found === undefined ? new Uint8Array(4) : addressBytes(found);
  if (address !== undefined) {
    const kind = address.length === 4 ? ADDRESS.ipv4 : ADDRESS.ipv6;
    return concat(head, new Uint8Array([kind]), address, port);
  }
  const name = new TextEncoder().encode(found).subarray(0, 255);
  return concat(head, new Uint8Array([ADDRESS.name, name.length]), name, port);
}

function addressLength(kind: number, nameLength: number): number {
  switch (kind) {
    case ADDRESS.ipv4:
      return 4;
    case ADDRESS.ipv6:
      return 16;
    case ADDRESS.name:
      return nameLength;
    default:
      throw new UnknownAddressError(
        "Cannot read a SOCKS5 request: its kind of address is unknown",
      );
  }
}

function expectVersion(seen: number, expected: number): void {
  if (seen !== expected) {
    throw new MalformedError("Cannot read SOCKS5: it is of another version");
  }
}
