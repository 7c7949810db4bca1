import { assert, assertEquals } from "@std/assert";
import {
  formatIpPrefix,
  parseIpPrefix,
  prefixHolds,
} from "../../lib/net/mod.ts";
import { parseIpAddress } from "../../lib/net/mod.ts";

Deno.test("IP prefix: one text for every spelling", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.1/32", "192.0.2.1"],
    ["2001:0DB8::/32", "2001:db8::/32"],
    ["::/0", "::/0"],
    ["::1/128", "::1"],
    ["::ffff:10.0.0.0/104", "10.0.0.0/8"],
    ["::ffff:10.0.0.1/128", "10.0.0.1"],
    ["::ffff:0:0/96", "0.0.0.0/0"],
    ["::/95", "::/95"],
  ];
  for (const [text, expected] of cases) {
    assertEquals(formatIpPrefix(parseIpPrefix(text)!), expected, text);
  }
});

Deno.test("IP prefix: what leaves open what is meant is none", () => {
  const none = [
    "",
    "/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "10.0.0.0/8 ",
    "10.0.0.1/8",
    "0.0.0.1/31",
    "::/129",
    "2001:db8::1/127",
    "::ffff:0:0/95",
    "::ffff:1.2.3.4/24",
    "*",
  ];
  for (const text of none) assertEquals(parseIpPrefix(text), undefined, text);
});

Deno.test("IP prefix: holds its first and last address, not their neighbours, not the other family", () => {
  const cases:
    readonly (readonly [string, readonly string[], readonly string[]])[] = [
      [
        "172.16.0.0/12",
        ["172.16.0.0", "172.31.255.255", "::ffff:172.20.0.1"],
        ["172.15.255.255", "172.32.0.0", "::172.16.0.0"],
      ],
      ["0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]],
      ["fe80::/10", ["fe80::", "febf:ffff::"], [
        "fe7f:ffff::",
        "fec0::",
        "0.0.0.0",
      ]],
      ["::/0", ["::", "ffff::"], ["0.0.0.0", "::ffff:0.0.0.0"]],
      ["192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]],
    ];
  for (const [text, inside, outside] of cases) {
    const prefix = parseIpPrefix(text)!;
    for (const each of inside) {
      assert(prefixHolds(prefix, parseIpAddress(each)!), `${text} ${each}`);
    }
    for (const each of outside) {
      assert(!prefixHolds(prefix, parseIpAddress(each)!), `${text} ${each}`);
    }
  }
});
