import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import { addressGroup } from "../../lib/net/mod.ts";

Deno.test("addressGroup: IPv4 addresses count each for itself, also when written as IPv6", () => {
  assertEquals(addressGroup("127.0.0.1"), "127.0.0.1");
  assertEquals(addressGroup("::ffff:192.0.2.7"), "192.0.2.7");
  assertEquals(addressGroup("::FFFF:192.0.2.7"), "192.0.2.7");
  assertNotEquals(addressGroup("192.0.2.7"), addressGroup("192.0.2.8"));
});

Deno.test("addressGroup: of IPv6 the first 64 bits count, however the address is written", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["::", "0:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:DB8::1", "2001:db8:0:0::/64"],
    ["2001:0db8:0000:0000:1:2:3:4", "2001:db8:0:0::/64"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001::2:3:4:5:6", "2001:0:0:2::/64"],
    ["1::2:3:4:5:6:7", "1:0:2:3::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["fe80::1%25eth0", "fe80:0:0:0::/64"],
    ["64:ff9b::192.0.2.7", "64:ff9b:0:0::/64"],
  ];
  for (const [address, group] of cases) {
    assertEquals(addressGroup(address), group, address);
  }
});

/** `parts` with the zeros from `at` to `end` left out. */
function compressed(parts: readonly number[], at: number, end: number): string {
  const hex = parts.map((part) => part.toString(16));
  return `${hex.slice(0, at).join(":")}::${hex.slice(end).join(":")}`;
}

Deno.test("addressGroup: two IPv6 addresses are of one group exactly if their first 64 bits are the same", () => {
  const word = fc.oneof(fc.constant(0), fc.nat(0xffff));
  const words = fc.array(word, { minLength: 4, maxLength: 4 });
  fc.assert(fc.property(
    words,
    words,
    words,
    fc.nat(3),
    (prefix, a, b, which) => {
      const first = [...prefix, ...a];
      const second = [...prefix, ...b];
      const text = (parts: readonly number[]) =>
        parts.map((part) => part.toString(16)).join(":");
      assertEquals(addressGroup(text(first)), addressGroup(text(second)));
      const other = second.slice();
      other[which]! ^= 1;
      assertNotEquals(addressGroup(text(first)), addressGroup(text(other)));
      // Any run of zeros may be left out.
      for (let at = 0; at < 8; at++) {
        for (let end = at + 1; end <= 8; end++) {
          if (first.slice(at, end).some((part) => part !== 0)) break;
          const short = compressed(first, at, end);
          assertEquals(addressGroup(short), addressGroup(text(first)), short);
        }
      }
    },
  ));
});
