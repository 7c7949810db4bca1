import { assertEquals } from "@std/assert";
import { areKin } from "../../../lib/onion/path/kinship.ts";
import { relay } from "./relays.ts";

Deno.test("S4.3: kin are relays of one /16, or of one IPv6 /32, unless that is switched off", () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ["8.8.0.0", "8.8.255.255", true],
    ["8.8.0.0", "8.9.0.0", false],
    ["8.8.255.255", "8.7.255.255", false],
    ["2606:4700::1", "2606:4700:ffff::1", true],
    ["2606:4700::1", "2606:4701::1", false],
    ["8.8.0.0", "808::", false],
    ["8.8.0.0", "::808:0", false],
    ["8.8.0.0", "0:808::1", false],
    ["127.0.0.1", "127.0.0.1", true],
  ];
  for (const [a, b, expected] of cases) {
    const pair = [
      relay({ id: 1, host: a }),
      relay({ id: 2, host: b }),
    ] as const;
    assertEquals(areKin(pair[0], pair[1], true), expected, `${a} ${b}`);
    assertEquals(areKin(pair[1], pair[0], true), expected, `${b} ${a}`);
    assertEquals(areKin(...pair, false), false, `${a} ${b}`);
  }
});

Deno.test("S4.3: kin are relays of one family only if both say so", () => {
  const cases: readonly (readonly [number[], number[], boolean])[] = [
    [[], [], false],
    [[2], [], false],
    [[], [1], false],
    [[2], [1], true],
    [[3, 2, 4], [5, 1], true],
    [[3], [3], false],
    [[1], [2], false],
  ];
  for (const [ofFirst, ofSecond, expected] of cases) {
    const first = relay({ id: 1, family: ofFirst });
    const second = relay({ id: 2, family: ofSecond });
    assertEquals(areKin(first, second, true), expected);
    assertEquals(areKin(second, first, false), expected);
  }
});

Deno.test("S4.3: a relay is its own kin", () => {
  const first = relay({ id: 1, host: "8.8.8.8" });
  const again = relay({ id: 1, host: "9.9.9.9" });
  assertEquals(areKin(first, first, false), true);
  assertEquals(areKin(first, again, true), true);
});
