/** An IP address as a number. */
export interface IpAddress {
  /** 4 or 6. */
  readonly family: 4 | 6;
  /** 32 bits of IPv4, 128 of IPv6. */
  readonly value: bigint;
}

/** The longest spelling of an address, in characters. */
const TEXT_LIMIT = 45;
const GROUPS = 8;
const MAPPED_PREFIX = 0xffffn;

/**
 * The address that `text` spells: IPv4 as four decimal numbers, IPv6 as in RFC 4291 §2.2; `undefined`
 * if it is none. Spellings that only some systems understand are none: octal, hexadecimal or fewer
 * than four numbers, leading zeros, zones. IPv4 written as IPv6 (`::ffff:1.2.3.4`) is the IPv4
 * address that a connection to it would go to.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > TEXT_LIMIT) return undefined;
  if (!text.includes(":")) {
    const value = parseIpv4(text);
    return value === undefined ? undefined : { family: 4, value };
  }
  const value = parseIpv6(text);
  if (value === undefined) return undefined;
  return value >> 32n === MAPPED_PREFIX
    ? { family: 4, value: value & 0xffffffffn }
    : { family: 6, value };
}

/** The canonical text: IPv4 in four decimal numbers, IPv6 as in RFC 5952 §4, without brackets. */
export function formatIpAddress(address: IpAddress): string {
  const { family, value } = address;
  if (family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => value >> shift & 0xffn).join(".");
  }
  const groups: string[] = [];
  for (let i = GROUPS - 1; i >= 0; i--) {
    groups.push((value >> BigInt(16 * i) & 0xffffn).toString(16));
  }
  const { at, length } = longestZeros(groups);
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, at).join(":")}::${
    groups.slice(at + length).join(":")
  }`;
}

function parseIpv4(text: string): bigint | undefined {
  const numbers = text.split(".");
  if (numbers.length !== 4) return undefined;
  let value = 0n;
  for (const number of numbers) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(number) || Number(number) > 255) {
      return undefined;
    }
    value = value << 8n | BigInt(number);
  }
  return value;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!, halves.length === 1);
  if (head === undefined) return undefined;
  if (halves.length === 1) {
    return head.length === GROUPS ? join(head) : undefined;
  }
  const tail = parseGroups(halves[1]!, true);
  // "::" stands for one group of zeros at least (RFC 4291 §2.2).
  if (tail === undefined || head.length + tail.length >= GROUPS) {
    return undefined;
  }
  const zeros = Array<bigint>(GROUPS - head.length - tail.length).fill(0n);
  return join([...head, ...zeros, ...tail]);
}

/** Groups of 16 bits; the last two may be written as an IPv4 address where the address ends. */
function parseGroups(text: string, atEnd: boolean): bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (part.includes(".") && atEnd && index === parts.length - 1) {
      const value = parseIpv4(part);
      if (value === undefined) return undefined;
      groups.push(value >> 16n, value & 0xffffn);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(BigInt(`0x${part}`));
    } else {
      return undefined;
    }
  }
  return groups;
}

function join(groups: readonly bigint[]): bigint {
  return groups.reduce((value, group) => value << 16n | group, 0n);
}

/** The first of the longest runs of zero groups (RFC 5952 §4.2.3). */
function longestZeros(groups: readonly string[]): {
  readonly at: number;
  readonly length: number;
} {
  let longest = { at: 0, length: 0 };
  let run = 0;
  for (const [index, group] of groups.entries()) {
    run = group === "0" ? run + 1 : 0;
    if (run > longest.length) longest = { at: index + 1 - run, length: run };
  }
  return longest;
}
