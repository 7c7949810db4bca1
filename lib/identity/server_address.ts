import type { Bytes } from "../protocol/mod.ts";
import { MalformedError } from "../protocol/mod.ts";
import { formatFingerprint, parseFingerprint } from "./fingerprint.ts";

/** Where a server listens unless it says otherwise. */
export const DEFAULT_PORT = 7607;

/** Where a server is, and which key it must show if that is known. */
export interface ServerAddress {
  /**
   * A name or IP address in lower case; IPv6 without brackets. One that ends in `.onion` is reached
   * through the onion network only, and is never looked up by name (RFC 7686).
   */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** SHA-256 of the server's certificate, 32 bytes. */
  readonly fingerprint?: Bytes;
}

const SCHEME = "sotto://";
const ONION = ".onion";
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
const HOST_LIMIT = 253;

/**
 * Reads `host`, `host:port`, `[::1]:port` or `sotto://FINGERPRINT@host:port`, in which the fingerprint
 * or the port may be missing. The port is 7607 where none is named. `sotto://FINGERPRINT.onion` is a
 * server that is reached through the onion network: its name is its fingerprint, and it has no port.
 *
 * @throws {MalformedError} if it is none of these.
 */
export function parseServerAddress(text: string): ServerAddress {
  let rest = text.trim();
  let fingerprint: Bytes | undefined;
  if (rest.toLowerCase().startsWith(SCHEME)) {
    rest = rest.slice(SCHEME.length).replace(/\/$/, "");
    const at = rest.indexOf("@");
    if (at >= 0) fingerprint = parseFingerprint(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  const onion = parseOnion(rest);
  if (onion !== undefined) {
    if (fingerprint === undefined) return onion;
    throw malformed("it names the fingerprint of an onion service twice");
  }
  const parts = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/.exec(rest);
  if (parts === null) {
    throw malformed("it is not host:port (an IPv6 address goes in brackets)");
  }
  const [, hostPart, portPart] = parts;
  const host = parseHost(hostPart!);
  const port = portPart === undefined ? DEFAULT_PORT : Number(portPart);
  if (port < 1 || port > 65_535) throw malformed("no such port");
  return fingerprint === undefined
    ? { host, port }
    : { host, port, fingerprint };
}

/** The address at which the onion network reaches the server with this fingerprint (32 bytes). */
export function onionAddress(fingerprint: Bytes): ServerAddress {
  const host = formatFingerprint(fingerprint, "") + ONION;
  return { host, port: DEFAULT_PORT, fingerprint };
}

/** Whether a host is reached through the onion network only. */
export function isOnion(host: string): boolean {
  return host.endsWith(ONION);
}

/**
 * The canonical text of an address, with its port: `host:port`, or `sotto://FINGERPRINT@host:port` if
 * it has a fingerprint; `sotto://FINGERPRINT.onion` of an onion service.
 */
export function formatServerAddress(address: ServerAddress): string {
  const { host, port, fingerprint } = address;
  if (isOnion(host)) return SCHEME + host;
  const place = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return fingerprint === undefined
    ? place
    : `${SCHEME}${formatFingerprint(fingerprint, "")}@${place}`;
}

/** `undefined` if it is no onion service; the name of one is never taken for any other. */
function parseOnion(text: string): ServerAddress | undefined {
  const name = text.toLowerCase();
  if (!/\.onion(:|$)/.test(name)) return undefined;
  if (!isOnion(name)) throw malformed("an onion service has no port");
  const word = name.slice(0, -ONION.length);
  if (!/^[a-z2-7]*$/.test(word)) throw malformed("no such onion service");
  return onionAddress(parseFingerprint(word));
}

function parseHost(text: string): string {
  const host = text.toLowerCase();
  if (host.startsWith("[")) return parseIpv6(host);
  const labels = host.split(".");
  if (host.length > HOST_LIMIT || !labels.every((l) => LABEL.test(l))) {
    throw malformed("its host is no name and no IP address");
  }
  return host;
}

/** The platform's URL parser knows every spelling of an IPv6 address and gives the one of RFC 5952. */
function parseIpv6(bracketed: string): string {
  // Only what an address can hold, so that the parser sees a host and never a user or a path.
  const url = /^\[[0-9a-f:.]+\]$/.test(bracketed)
    ? URL.parse(`http://${bracketed}/`)
    : null;
  if (url === null) throw malformed("its host is no IPv6 address");
  return url.hostname.slice(1, -1);
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read a server address: ${seen}`);
}
