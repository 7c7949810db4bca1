import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";

/** Where a stream shall go. */
export interface Destination {
  /** A name as it was written, or an IP address in canonical text (RFC 5952), without brackets. */
  readonly host: string;
  /** 0 to 65,535. */
  readonly port: number;
}

/** Longest name, in bytes, as SOCKS5 can say it. */
const NAME_LIMIT = 255;
const NAME = /^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;
const IPV4_BYTES = 4;

/**
 * A name or an IP address as somebody wrote it; brackets around IPv6 are taken off.
 *
 * @throws {MalformedError} if it has characters that no name has, or is longer than 255 bytes.
 */
export function parseHost(text: string): string {
  if (text.includes(":")) return canonicalIpv6(text.replace(/^\[|\]$/g, ""));
  if (text.length > NAME_LIMIT || !NAME.test(text)) {
    throw new MalformedError("Cannot use a host: it is no name or IP address");
  }
  return text;
}

/**
 * `host:port` as in a CONNECT request or the authority of a URL.
 *
 * @param defaultPort for an authority that names none; without it there must be one.
 * @throws {MalformedError} if it is none. There is nobody before an `@`.
 */
export function parseAuthority(
  text: string,
  defaultPort?: number,
): Destination {
  const parts = /^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+)(?::([0-9]{0,5}))?$/.exec(text);
  const port = parts === null || !parts[2] ? defaultPort : Number(parts[2]);
  if (parts === null || port === undefined || port < 1 || port > 65_535) {
    throw new MalformedError("Cannot read an authority: it is no host:port");
  }
  return { host: parseHost(parts[1]!), port };
}

/** `host:port`, with brackets around IPv6. */
export function formatAuthority({ host, port }: Destination): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The text of an address of 4 or 16 bytes. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === IPV4_BYTES) return bytes.join(".");
  const groups = Array.from(
    { length: 8 },
    (_, i) => (bytes[2 * i]! << 8 | bytes[2 * i + 1]!).toString(16),
  );
  return canonicalIpv6(groups.join(":"));
}

/** The 4 or 16 bytes of an IP address, or `undefined` if `text` is a name. */
export function addressBytes(text: string): Bytes | undefined {
  if (text.includes(":")) return ipv6Bytes(text);
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (parts === null) return undefined;
  const numbers = parts.slice(1).map(Number);
  return numbers.every((each) => each < 256)
    ? new Uint8Array(numbers)
    : undefined;
}

function ipv6Bytes(text: string): Bytes {
  // The canonical form has hexadecimal groups only, and at most one "::".
  const [front = "", back] = canonicalIpv6(text).split("::");
  const groupsOf = (part: string) => part === "" ? [] : part.split(":");
  const [left, right] = [groupsOf(front), groupsOf(back ?? "")];
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  [...left, ...zeros, ...right].forEach((group, i) =>
    view.setUint16(2 * i, parseInt(group, 16))
  );
  return bytes;
}

/** The platform's URL parser knows every spelling of an IPv6 address and gives the one of RFC 5952. */
function canonicalIpv6(text: string): string {
  const url = /^[0-9A-Fa-f:.]+$/.test(text)
    ? URL.parse(`http://[${text}]/`)
    : null;
  if (url === null) {
    throw new MalformedError("Cannot use a host: it is no IPv6 address");
  }
  return url.hostname.slice(1, -1);
}
