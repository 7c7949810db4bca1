import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ExitPolicy } from "../../lib/directory/exit_policy.ts";
import {
  carriedIpv4,
  isPublicAddress,
  parseIpAddress,
} from "../../lib/net/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";

Deno.test("exit policy: the first rule that matches decides, the end is no", () => {
  const policy = ExitPolicy.parse(
    "reject 192.0.2.7:*, accept 192.0.2.0/24:6660-6667\n" +
      "accept [2001:db8::]/32:80, reject *:25, accept 198.51.100.1:1-100",
  );
  const cases: readonly (readonly [string, number, boolean])[] = [
    ["192.0.2.7", 6660, false],
    ["192.0.2.8", 6660, true],
    ["192.0.2.8", 6667, true],
    ["192.0.2.8", 6659, false],
    ["192.0.2.8", 6668, false],
    ["192.0.3.0", 6660, false],
    ["192.0.1.255", 6660, false],
    ["::ffff:192.0.2.8", 6660, true],
    ["::ffff:c000:207", 6660, false],
    ["2001:db8::1", 80, true],
    ["2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 80, true],
    ["2001:db9::", 80, false],
    ["2001:db8::1", 81, false],
    ["198.51.100.1", 24, true],
    ["198.51.100.1", 25, false],
    ["198.51.100.1", 100, true],
    ["198.51.100.1", 101, false],
    ["198.51.100.2", 24, false],
    ["example.org", 80, false],
    ["3221225992", 6660, false],
    ["[2001:db8::1]", 80, false],
    ["", 80, false],
  ];
  for (const [ip, port, expected] of cases) {
    assertEquals(policy.permits(ip, port), expected, `${ip} ${port}`);
  }
});

Deno.test("S4.5: exit policy: the one for pages keeps private addresses out, however they are written", () => {
  const inside = [
    "127.0.0.1",
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
  ];
  for (const ip of inside) {
    assert(!ExitPolicy.WEB.permits(ip, 80), ip);
    assert(!ExitPolicy.WEB.permits(ip, 443), ip);
  }
  for (const ip of ["8.8.8.8", "2606:4700::1111", "64:ff9b::8.8.8.8"]) {
    assert(ExitPolicy.WEB.permits(ip, 80), ip);
    assert(ExitPolicy.WEB.permits(ip, 443), ip);
    assert(!ExitPolicy.WEB.permits(ip, 25), ip);
  }
});

Deno.test("exit policy: an address that is rejected cannot be reached through one that carries it", () => {
  const policy = ExitPolicy.parse("reject 8.8.8.0/24:*, accept *:*");
  for (const ip of ["64:ff9b::8.8.8.8", "2002:808:808::", "::8.8.8.8"]) {
    assert(!policy.permits(ip, 80), ip);
  }
  assert(policy.permits("64:ff9b::8.8.9.8", 80));
  // The other way round it must be named itself.
  const narrow = ExitPolicy.parse("accept 8.8.8.8:*");
  assert(narrow.permits("8.8.8.8", 80));
  assert(!narrow.permits("64:ff9b::8.8.8.8", 80));
});

Deno.test("exit policy: what may be permitted before a name is resolved", () => {
  const cases: readonly (readonly [
    policy: string,
    port: number,
    publicly: boolean,
    anywhere: boolean,
  ])[] = [
    ["reject private:*, accept *:80, accept *:443", 80, true, true],
    ["reject private:*, accept *:80, accept *:443", 81, false, false],
    ["", 80, false, false],
    ["accept private:*", 80, false, true],
    ["accept 10.0.0.0/8:80", 80, false, true],
    ["accept 8.8.8.8:80", 80, true, true],
    ["reject 8.0.0.0/8:80, accept 8.8.8.8:80", 80, false, false],
    ["reject 8.8.8.8:80, accept 8.8.8.0/24:80", 80, true, true],
    ["accept [2606::]/16:53", 53, true, true],
    ["accept [fd00::]/8:53", 53, false, true],
    ["reject 0.0.0.0/0:*, accept *:80", 80, true, true],
    ["reject 0.0.0.0/0:*, reject [2000::]/3:*, accept *:80", 80, false, true],
    ["reject 0.0.0.0/1:*, reject [::]/0:*, accept *:80", 80, true, true],
    ["reject *:80-90, accept *:*", 90, false, false],
    ["reject *:80-90, accept *:*", 91, true, true],
    ["reject private:*, accept 127.0.0.0/8:*", 80, false, false],
    ["reject private:*, accept 126.0.0.0/7:*", 80, true, true],
  ];
  for (const [text, port, publicly, anywhere] of cases) {
    const policy = ExitPolicy.parse(text);
    assertEquals(policy.mayPermit(port), publicly, `${text} ${port}`);
    assertEquals(policy.permitsSome(port), anywhere, `${text} ${port}`);
  }
});

Deno.test("exit policy: an exit is what connects to anything", () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ["", false],
    ["reject *:*", false],
    ["reject *:*, accept *:80", false],
    ["reject *:1-65534, accept *:*", true],
    ["reject *:2-65535, accept *:*", true],
    ["accept 127.0.0.1:1", true],
    ["reject 127.0.0.0/8:*, accept 127.0.0.1:1", false],
  ];
  for (const [text, expected] of cases) {
    assertEquals(ExitPolicy.parse(text).isExit, expected, text);
  }
  assert(!ExitPolicy.REJECT_ALL.isExit);
  assert(ExitPolicy.WEB.isExit);
});

Deno.test("exit policy: an address is reached if it is permitted on any port", () => {
  const policy = ExitPolicy.parse(
    "reject *:1-9, reject 8.8.8.8:11, accept 8.8.8.0/24:9-11, accept 9.9.9.9:1-9",
  );
  assert(policy.reaches("8.8.8.8"));
  assert(!policy.permits("8.8.8.8", 9));
  assert(policy.permits("8.8.8.8", 10));
  assert(policy.reaches("::ffff:8.8.8.1"));
  assert(!policy.reaches("9.9.9.9"));
  assert(!policy.reaches("8.8.9.0"));
  assert(!policy.reaches("example.org"));
  assert(!ExitPolicy.WEB.reaches("10.0.0.1"));
  assert(ExitPolicy.WEB.reaches("8.8.8.8"));
});

Deno.test("exit policy: one spelling of each rule", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "reject *:*"],
    ["  \n ", "reject *:*"],
    ["accept *:1-65535", "accept *:*"],
    [" accept  1.2.3.4/32:80-80 ", "accept 1.2.3.4:80"],
    ["accept 1.2.0.0/16:2-3\nreject *:*", "accept 1.2.0.0/16:2-3, reject *:*"],
    ["accept 0.0.0.0/0:7", "accept 0.0.0.0/0:7"],
    ["accept [2001:0DB8:0:0::0]/32:7", "accept [2001:db8::]/32:7"],
    ["accept [::1]/128:7", "accept [::1]:7"],
    ["accept [::ffff:10.0.0.0]/104:7", "accept 10.0.0.0/8:7"],
    ["accept private:7", "accept private:7"],
  ];
  for (const [text, canonical] of cases) {
    const policy = ExitPolicy.parse(text);
    assertEquals(policy.toString(), canonical);
    assertEquals(ExitPolicy.parse(canonical).toString(), canonical);
  }
});

Deno.test("exit policy: what is no policy is refused", () => {
  const bad = [
    "accept",
    "accept *",
    "Accept *:80",
    "accept *:0",
    "accept *:65536",
    "accept *:080",
    "accept *:90-80",
    "accept *:80-",
    "accept *:-80",
    "accept *:80, ",
    ",accept *:80",
    "accept *:80,,accept *:81",
    "accept *:80 accept *:81",
    "accept 1.2.3:80",
    "accept 1.2.3.4.5:80",
    "accept 01.2.3.4:80",
    "accept 1.2.3.256:80",
    "accept 0x7f.0.0.1:80",
    "accept 2130706433:80",
    "accept 1.2.3.4/33:80",
    "accept 1.2.3.4/:80",
    "accept 1.2.3.4/8:80",
    "accept 10.0.0.0/08:80",
    "accept 10.0.0.0/-1:80",
    "accept ::1:80",
    "accept [::1:80",
    "accept [::1]80",
    "accept [1.2.3.4]:80",
    "accept [::1]/129:80",
    "accept [2001:db8::1]/32:80",
    "accept [::ffff:0:0]/95:80",
    "accept [fe80::1%eth0]:80",
    "accept private/8:80",
    "accept */8:80",
    "accept example.org:80",
    "accept *:80\u0000",
    "accept *:８０",
  ];
  for (const text of bad) {
    assertThrows(() => ExitPolicy.parse(text), MalformedError, "exit policy");
  }
});

Deno.test("exit policy: at most 64 rules and 2,048 characters", () => {
  const rules = (count: number) => Array(count).fill("accept *:80").join(",");
  ExitPolicy.parse(rules(64));
  assertThrows(() => ExitPolicy.parse(rules(65)), MalformedError, "65 rules");
  ExitPolicy.parse("accept *:80".padEnd(2_048));
  assertThrows(
    () => ExitPolicy.parse("accept *:80".padEnd(2_049)),
    MalformedError,
    "2049 characters",
  );
  // With a space behind each comma it would be too long to be read again.
  const rule = "accept 192.0.2.0/24:10000-20000";
  assertEquals(Array(64).fill(rule).join(",").length, 2_047);
  assertThrows(
    () => ExitPolicy.parse(Array(64).fill(rule).join(",")),
    MalformedError,
    "2110 characters",
  );
});

interface NaiveRule {
  readonly accept: boolean;
  readonly where: "*" | "private" | { family: 4 | 6; bits: string };
  readonly from: number;
  readonly to: number;
}

/** The bits of an address, as text. */
function bitsOf(address: { family: 4 | 6; value: bigint }): string {
  return address.value.toString(2).padStart(
    address.family === 4 ? 32 : 128,
    "0",
  );
}

function naiveMatch(rule: NaiveRule, ip: string): boolean {
  const address = parseIpAddress(ip)!;
  if (rule.where === "*") return true;
  if (rule.where === "private") return !isPublicAddress(address);
  const { family, bits } = rule.where;
  const forms = rule.accept ? [address] : [address, ...carriedIpv4(address)];
  return forms.some((a) => a.family === family && bitsOf(a).startsWith(bits));
}

function naivePermits(rules: NaiveRule[], ip: string, port: number): boolean {
  const first = rules.find((rule) =>
    rule.from <= port && port <= rule.to && naiveMatch(rule, ip)
  );
  return first?.accept ?? false;
}

function textOf(rule: NaiveRule): string {
  let place = String(rule.where);
  if (typeof rule.where !== "string") {
    const { family, bits } = rule.where;
    const all = bits.padEnd(family === 4 ? 32 : 128, "0");
    place = family === 4
      ? all.match(/.{8}/g)!.map((b) => parseInt(b, 2)).join(".")
      : `[${
        all.match(/.{16}/g)!.map((b) => parseInt(b, 2).toString(16)).join(":")
      }]`;
    place += `/${bits.length}`;
  }
  return `${
    rule.accept ? "accept" : "reject"
  } ${place}:${rule.from}-${rule.to}`;
}

const ADDRESSES = [
  "8.8.8.8",
  "8.8.9.9",
  "9.0.0.0",
  "127.0.0.1",
  "10.1.2.3",
  "255.255.255.255",
  "::1",
  "fd00::1",
  "2606:4700::1111",
  "2a00::1",
  "3ffe:ffff::",
  "64:ff9b::8.8.8.8",
  "2002:808:808::1",
];

const ports = fc.constantFrom(1, 2, 79, 80, 81, 65_534, 65_535);
const someAddress = fc.constantFrom(...ADDRESSES).map((text) =>
  parseIpAddress(text)!
);
/** Prefixes of a few addresses, so that rules overlap. */
const somePrefix = fc.tuple(someAddress, fc.nat(128)).map((
  [address, bits],
) => ({
  family: address.family,
  bits: bitsOf(address).slice(0, bits),
}));
const someRule = fc.record({
  accept: fc.boolean(),
  where: fc.oneof(
    fc.constantFrom("*" as const, "private" as const),
    somePrefix,
  ),
  from: ports,
  to: ports,
}).map((rule) =>
  rule.from > rule.to ? { ...rule, from: rule.to, to: rule.from } : rule
);
const someRules = fc.array(someRule, { maxLength: 6 });

Deno.test("exit policy: decides as a naive matcher does, also after being written and read", () => {
  fc.assert(
    fc.property(someRules, ports, (rules, port) => {
      const policy = ExitPolicy.parse(rules.map(textOf).join(","));
      const again = ExitPolicy.parse(policy.toString());
      assertEquals(again.toString(), policy.toString());
      for (const ip of ADDRESSES) {
        const expected = naivePermits(rules, ip, port);
        assertEquals(policy.permits(ip, port), expected, ip);
        assertEquals(again.permits(ip, port), expected, ip);
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("exit policy: what is permitted may be permitted, and is an exit's", () => {
  const own = ADDRESSES.filter((ip) => !/^(64:|2002:)/.test(ip));
  fc.assert(
    fc.property(someRules, ports, (rules, port) => {
      const policy = ExitPolicy.parse(rules.map(textOf).join(","));
      for (const ip of own) {
        if (!naivePermits(rules, ip, port)) continue;
        assert(policy.permitsSome(port), ip);
        assert(policy.isExit, ip);
        assert(policy.reaches(ip), ip);
        if (isPublicAddress(parseIpAddress(ip)!)) {
          assert(policy.mayPermit(port));
        }
      }
      if (policy.mayPermit(port)) assert(policy.permitsSome(port));
      if (!rules.some((rule) => rule.accept)) assert(!policy.isExit);
    }),
    { numRuns: 500 },
  );
});

Deno.test("exit policy: within one small block it says exactly what may be permitted", () => {
  // Rules within 8.8.8.0/28, behind which all is rejected: every address can be tried.
  const rule = fc.tuple(
    fc.boolean(),
    fc.nat(15),
    fc.integer({ min: 28, max: 32 }),
  )
    .map(([accept, last, bits]) => ({
      accept,
      where: {
        family: 4 as const,
        bits: bitsOf({ family: 4, value: BigInt(0x08080800 + last) }).slice(
          0,
          bits,
        ),
      },
      from: 80,
      to: 80,
    }));
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 8 }), (rules) => {
      const policy = ExitPolicy.parse(rules.map(textOf).join(","));
      const all = Array.from({ length: 16 }, (_, last) => `8.8.8.${last}`);
      const any = all.some((ip) => naivePermits(rules, ip, 80));
      assertEquals(policy.mayPermit(80), any);
      assertEquals(policy.permitsSome(80), any);
      assertEquals(policy.isExit, any);
      assertEquals(policy.mayPermit(81), false);
    }),
    { numRuns: 500 },
  );
});
