import type { IpAddress } from "./ip_address.ts";
import { formatIpAddress, parseIpAddress } from "./ip_address.ts";

/** All addresses that begin with the same bits. */
export interface IpPrefix {
  /** 4 or 6. */
  readonly family: 4 | 6;
  /** How many bits are the same: 0 to 32, or to 128. */
  readonly bits: number;
  /** The first of the addresses. */
  readonly first: bigint;
  /** The last of them. */
  readonly last: bigint;
}

const MAPPED_BITS = 96;

/**
 * The prefix that `text` spells: `ADDRESS/BITS`, or `ADDRESS` for that one alone; `undefined` if it is
 * none, or if the address has bits behind the prefix, which leaves open what is meant.
 */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const parts = /^([^/]*)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(text);
  if (parts === null) return undefined;
  const [, addressPart, bitsPart] = parts;
  const address = parseIpAddress(addressPart!);
  if (address === undefined) return undefined;
  const { family, value } = address;
  const width = family === 4 ? 32 : 128;
  let bits = width;
  if (bitsPart !== undefined) {
    // Bits of a mapped address are counted from its beginning, the prefix it is mapped by included.
    const mapped = family === 4 && addressPart!.includes(":");
    bits = Number(bitsPart) - (mapped ? MAPPED_BITS : 0);
  }
  if (bits < 0 || bits > width) return undefined;
  const size = 1n << BigInt(width - bits);
  if (value % size !== 0n) return undefined;
  return { family, bits, first: value, last: value + size - 1n };
}

/** The canonical text: `ADDRESS/BITS`, or `ADDRESS` where all bits count. */
export function formatIpPrefix(prefix: IpPrefix): string {
  const { family, bits, first } = prefix;
  const address = formatIpAddress({ family, value: first });
  return bits === (family === 4 ? 32 : 128) ? address : `${address}/${bits}`;
}

/** Whether `address` begins with the bits of `prefix`. */
export function prefixHolds(prefix: IpPrefix, address: IpAddress): boolean {
  return prefix.family === address.family &&
    prefix.first <= address.value && address.value <= prefix.last;
}
