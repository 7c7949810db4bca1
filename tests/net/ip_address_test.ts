import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatIpAddress, parseIpAddress } from "../../lib/net/mod.ts";

/** The canonical text of what `text` spells, if it spells an address. */
function canonical(text: string): string | undefined {
  const address = parseIpAddress(text);
  return address === undefined ? undefined : formatIpAddress(address);
}

Deno.test("IP address: one text for every spelling", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["0.0.0.0", "0.0.0.0"],
    ["1.2.3.4", "1.2.3.4"],
    ["255.255.255.255", "255.255.255.255"],
    ["::", "::"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8::A", "2001:db8::a"],
    ["2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["::192.0.2.33", "::c000:221"],
    ["::ffff:192.0.2.33", "192.0.2.33"],
    ["::FFFF:c000:221", "192.0.2.33"],
    ["0:0:0:0:0:ffff:192.0.2.33", "192.0.2.33"],
    ["::ffff:0:192.0.2.33", "::ffff:0:c000:221"],
    ["ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"].concat(
      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ) as [string, string],
  ];
  for (const [text, expected] of cases) {
    assertEquals(canonical(text), expected, text);
  }
});

Deno.test("S4.5: IP address: spellings that only some systems understand are no address", () => {
  const none = [
    "",
    " ",
    "localhost",
    "1",
    "1.2.3",
    "127.1",
    "1.2.3.4.5",
    "1.2.3.4.",
    ".1.2.3.4",
    "1..3.4",
    "256.1.1.1",
    "1.2.3.1000",
    "01.2.3.4",
    "0177.0.0.1",
    "00.0.0.0",
    "0x7f.0.0.1",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "1.2.3.-4",
    "+1.2.3.4",
    "1e1.2.3.4",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4\n",
    "1.2.3.4/8",
    "1.2.3.4:80",
    "１.2.3.4",
    "1。2。3。4",
    ":",
    ":::",
    ":1",
    "1:",
    "1::2::3",
    "::1::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1:2:3:4::5:6:7:8",
    "12345::",
    "g::",
    "0x1::",
    "::-1",
    "::+1",
    "[::1]",
    "::1%eth0",
    "fe80::1%25eth0",
    "::1/128",
    "::1 ",
    "\n::1",
    "::1.2.3",
    "::1.2.3.4.5",
    "::01.2.3.4",
    "::256.1.1.1",
    "1.2.3.4::",
    "1.2.3.4::1",
    "::1.2.3.4:5",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:6:7:8.1.1.1",
    "::ffff:127.1",
    "0".repeat(46),
    `${"0:".repeat(1_000)}1`,
  ];
  for (const text of none) assertEquals(parseIpAddress(text), undefined, text);
});

const ipv4 = fc.nat(0xffffffff).map((value) => ({
  family: 4 as const,
  value: BigInt(value),
}));
const group = fc.oneof(fc.constant(0), fc.nat(0xffff));
const groups = fc.array(group, { minLength: 8, maxLength: 8 });
/** Anything but IPv4 in disguise. */
const ipv6 = groups.map((parts) => ({
  family: 6 as const,
  value: parts.reduce((value, part) => value << 16n | BigInt(part), 0n),
})).filter(({ value }) => value >> 32n !== 0xffffn);

Deno.test("IP address: what is written is read as the same address", () => {
  fc.assert(fc.property(fc.oneof(ipv4, ipv6), (address) => {
    assertEquals(parseIpAddress(formatIpAddress(address)), address);
  }));
});

Deno.test("IP address: reads and writes IPv6 as the platform's URL parser does", () => {
  const piece = fc.constantFrom(
    "0",
    "1",
    "00",
    "ffff",
    "",
    ":",
    "::",
    "1.2.3.4",
    "a0",
  );
  const text = fc.oneof(
    groups.map((parts) => parts.map((part) => part.toString(16)).join(":")),
    fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(":")),
    fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join("")),
  ).filter((text) => text.includes(":"));
  fc.assert(
    fc.property(text, (text) => {
      const url = URL.parse(`http://[${text}]/`);
      const theirs = url?.hostname.slice(1, -1);
      const address = parseIpAddress(text);
      // A mapped address is IPv4 here, which the URL parser writes as the IPv6 address that it also is.
      const ours = address === undefined
        ? undefined
        : address.family === 6
        ? formatIpAddress(address)
        : URL.parse(`http://[::ffff:${formatIpAddress(address)}]/`)!.hostname
          .slice(1, -1);
      assertEquals(ours, theirs, text);
    }),
    { numRuns: 2_000 },
  );
});
