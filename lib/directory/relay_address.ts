import { formatIpAddress, parseIpAddress } from "../net/mod.ts";
import type { IpAddress } from "../net/mod.ts";
import type { Reader, Writer } from "../protocol/mod.ts";
import { MalformedError } from "../protocol/mod.ts";

/** Where a relay is reached: always an IP address, so that nobody asks a name server about relays. */
export interface RelayAddress {
  /** An IP address in its canonical text (RFC 5952), without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

/** IPv4 written as IPv6 (RFC 4291 §2.5.5.2): the same address would have two encodings. */
const MAPPED_PREFIX = 0xffffn;

/**
 * The address `host` and `port` stand for, in canonical text.
 *
 * @throws {MalformedError} if `host` is no IP address or there is no such port.
 */
export function relayAddress(host: string, port: number): RelayAddress {
  const address = parseIpAddress(host);
  if (address === undefined) throw malformed("it is no IP address");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw malformed("there is no such port");
  }
  return { host: formatIpAddress(address), port };
}

/** An address as people write it: `192.0.2.1:7607`, `[2001:db8::1]:7607`. */
export function formatRelayAddress({ host, port }: RelayAddress): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Family (1 byte: 4 or 6) ‖ address (4 or 16) ‖ port (2). */
export function writeRelayAddress(
  writer: Writer,
  { host, port }: RelayAddress,
): void {
  const address = parseIpAddress(host);
  if (address === undefined || formatIpAddress(address) !== host) {
    throw malformed("its text is not canonical");
  }
  const { family, value } = address;
  writer.u8(family);
  for (let shift = family === 4 ? 24n : 120n; shift >= 0n; shift -= 8n) {
    writer.u8(Number(value >> shift & 0xffn));
  }
  writer.u16(port);
}

/** Inverse of `writeRelayAddress`. @throws {MalformedError} if it is none, or not encoded this way. */
export function readRelayAddress(reader: Reader): RelayAddress {
  const family = reader.u8();
  if (family !== 4 && family !== 6) throw malformed("no such family");
  let value = 0n;
  for (const byte of reader.take(family === 4 ? 4 : 16)) {
    value = value << 8n | BigInt(byte);
  }
  const address: IpAddress = { family, value };
  if (family === 6 && value >> 32n === MAPPED_PREFIX) {
    throw malformed("it is IPv4 written as IPv6");
  }
  const port = reader.u16();
  if (port === 0) throw malformed("there is no such port");
  return { host: formatIpAddress(address), port };
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot use a relay's address: ${seen}`);
}
