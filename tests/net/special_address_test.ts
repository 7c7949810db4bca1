import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  addressKind,
  carriedIpv4,
  formatIpAddress,
  isPublicAddress,
  parseIpAddress,
} from "../../lib/net/mod.ts";
import type { AddressKind } from "../../lib/net/mod.ts";

/** First and last address of every block of the registries, and the public ones beside them. */
const TABLE: readonly (readonly [AddressKind, ...string[]])[] = [
  ["unspecified", "0.0.0.0", "::"],
  ["this-network", "0.0.0.1", "0.255.255.255"],
  ["public", "1.0.0.0", "1.1.1.1", "9.255.255.255"],
  ["private", "10.0.0.0", "10.255.255.255"],
  ["public", "11.0.0.0", "100.63.255.255"],
  ["shared", "100.64.0.0", "100.100.100.200", "100.127.255.255"],
  ["public", "100.128.0.0", "126.255.255.255"],
  ["loopback", "127.0.0.0", "127.0.0.1", "127.255.255.255"],
  ["public", "128.0.0.0", "169.253.255.255"],
  ["link-local", "169.254.0.0", "169.254.169.254", "169.254.255.255"],
  ["public", "169.255.0.0", "172.15.255.255"],
  ["private", "172.16.0.0", "172.31.255.255"],
  ["public", "172.32.0.0", "191.255.255.255"],
  ["protocol", "192.0.0.0", "192.0.0.192", "192.0.0.255"],
  ["public", "192.0.1.0", "192.0.1.255"],
  ["documentation", "192.0.2.0", "192.0.2.255"],
  ["public", "192.0.3.0", "192.88.98.255"],
  ["reserved", "192.88.99.0", "192.88.99.255"],
  ["public", "192.88.100.0", "192.167.255.255"],
  ["private", "192.168.0.0", "192.168.255.255"],
  ["public", "192.169.0.0", "198.17.255.255"],
  ["benchmarking", "198.18.0.0", "198.19.255.255"],
  ["public", "198.20.0.0", "198.51.99.255"],
  ["documentation", "198.51.100.0", "198.51.100.255"],
  ["public", "198.51.101.0", "203.0.112.255"],
  ["documentation", "203.0.113.0", "203.0.113.255"],
  ["public", "203.0.114.0", "223.255.255.255"],
  ["multicast", "224.0.0.0", "224.0.0.1", "239.255.255.255"],
  ["reserved", "240.0.0.0", "255.255.255.254"],
  ["broadcast", "255.255.255.255"],
  ["public", "168.63.129.15", "168.63.129.17"],
  ["metadata", "168.63.129.16"],

  ["loopback", "::1"],
  ["reserved", "100::", "100::1", "200::", "1fff:ffff::", "4000::", "5f00::"],
  ["reserved", "64:ff9b:1::", "64:ff9b:1:ffff::1", "8000::", "fec0::"],
  ["reserved", "fbff:ffff::", "fe00::", "feff:ffff::", "fe7f:ffff::"],
  ["public", "2000::", "2000:ffff::", "2001:200::", "2001:db7:ffff::"],
  ["protocol", "2001::", "2001:0:1::", "2001:1::1", "2001:1ff:ffff::"],
  ["benchmarking", "2001:2::", "2001:2:0:ffff::"],
  ["documentation", "2001:db8::", "2001:db8:ffff:ffff::1"],
  ["public", "2001:db9::", "2001:ffff::", "2606:4700::1111", "3ffe:ffff::"],
  ["documentation", "3fff::", "3fff:fff:ffff::"],
  ["public", "3fff:1000::", "3fff:ffff::"],
  ["unique-local", "fc00::", "fd00:ec2::254", "fd20:ce::254", "fdff:ffff::"],
  ["link-local", "fe80::", "fe80::1", "febf:ffff::"],
  ["multicast", "ff00::", "ff02::1", "ffff:ffff::"],
];

Deno.test("S4.5: special addresses: every block of the registries, at its edges", () => {
  for (const [kind, ...addresses] of TABLE) {
    for (const text of addresses) {
      const address = parseIpAddress(text)!;
      assertEquals(addressKind(address), kind, text);
      assertEquals(isPublicAddress(address), kind === "public", text);
    }
  }
});

/** An IPv4 address in each IPv6 form that carries it. */
function forms(
  ipv4: string,
): { mapped: string; nat64: string; sixToFour: string; compatible: string } {
  const hex = formatIpAddress(parseIpAddress(`1::${ipv4}`)!);
  const [high, low] = groupsOf(hex);
  return {
    mapped: `::ffff:${ipv4}`,
    nat64: `64:ff9b::${ipv4}`,
    sixToFour: `2002:${high}:${low}::1`,
    compatible: `::${ipv4}`,
  };
}

/** The last two groups of an address that begins with `1:`. */
function groupsOf(text: string): readonly [string, string] {
  const value = parseIpAddress(text)!.value;
  return [
    (value >> 16n & 0xffffn).toString(16),
    (value & 0xffffn).toString(16),
  ];
}

Deno.test("S4.5: special addresses: IPv6 that carries IPv4 is what that one is", () => {
  for (const [kind, ...addresses] of TABLE) {
    for (const text of addresses.filter((each) => !each.includes(":"))) {
      const { mapped, nat64, sixToFour, compatible } = forms(text);
      for (const each of [mapped, nat64, sixToFour]) {
        assertEquals(addressKind(parseIpAddress(each)!), kind, each);
      }
      // Nobody has these any more, whatever they carry.
      assert(!isPublicAddress(parseIpAddress(compatible)!), compatible);
    }
  }
});

Deno.test("special addresses: what an address carries", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["8.8.8.8", []],
    ["2606:4700::1111", []],
    ["64:ff9b::8.8.8.8", ["8.8.8.8"]],
    ["64:ff9b:0:0:0:1:808:808", []],
    ["2002:808:808::", ["8.8.8.8"]],
    ["::8.8.8.8", ["8.8.8.8"]],
    // RFC 4380 §4: server 65.54.227.120, client 192.0.2.45 behind port 40000.
    ["2001:0:4136:e378:8000:63bf:3fff:fdd2", ["65.54.227.120", "192.0.2.45"]],
  ];
  for (const [text, expected] of cases) {
    const carried = carriedIpv4(parseIpAddress(text)!).map(formatIpAddress);
    assertEquals(carried, expected, text);
  }
});

Deno.test("S4.5: special addresses: nothing outside 2000::/3 is public but translated public IPv4", () => {
  const value = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
  fc.assert(fc.property(value, (value) => {
    const address = { family: 6 as const, value };
    if (isPublicAddress(address)) assertEquals(value >> 125n, 1n);
  }));
  fc.assert(fc.property(fc.nat(0xffffffff), (bits) => {
    const ipv4 = { family: 4 as const, value: BigInt(bits) };
    const nat64 = {
      family: 6 as const,
      value: (0x64ff9bn << 96n) + BigInt(bits),
    };
    assertEquals(addressKind(nat64), addressKind(ipv4));
  }));
});
