import { assertEquals, assertThrows } from "@std/assert";
import {
  addressBytes,
  addressText,
  formatAuthority,
  parseAuthority,
  parseHost,
} from "../../../lib/onion/front/destination.ts";
import {
  basicCredentials,
  isolationKey,
} from "../../../lib/onion/front/credentials.ts";
import { MalformedError } from "../../../lib/protocol/mod.ts";
import fc from "fast-check";

const AUTHORITIES: readonly (readonly [string, string, number])[] = [
  ["web.example:443", "web.example", 443],
  ["web.example", "web.example", 80],
  ["web.example:", "web.example", 80],
  ["WEB.Example.:1", "WEB.Example.", 1],
  ["_a-b.c:65535", "_a-b.c", 65_535],
  ["192.0.2.1:80", "192.0.2.1", 80],
  ["[2001:DB8:0::1]:80", "2001:db8::1", 80],
  ["[::1]", "::1", 80],
  ["abc.onion:7607", "abc.onion", 7607],
];

for (const [text, host, port] of AUTHORITIES) {
  Deno.test(`destination: ${text}`, () => {
    assertEquals(parseAuthority(text, 80), { host, port });
  });
}

const NONE = [
  ...["", ":80", "a:0", "a:65536", "a:123456", "a:b", "a:1:2", "::1", "[::1"],
  ...["u@a:80", "a b:80", "a/b:80", "a\0:80", "[a]:80", "[:::]:80", "-a:80"],
  ...["ä:80", "a%:80", ".a:80", `${"a".repeat(256)}:80`, "[::1%25lo]:80"],
];

for (const text of NONE) {
  Deno.test(`destination: ${JSON.stringify(text).slice(0, 40)} is none`, () => {
    assertThrows(() => parseAuthority(text, 80), MalformedError);
  });
}

Deno.test("destination: without a default, a port must be named", () => {
  assertThrows(() => parseAuthority("web.example"), MalformedError);
});

Deno.test("destination: addresses and their bytes, there and back", () => {
  fc.assert(fc.property(
    fc.oneof(
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      // Runs of zeros are what makes texts differ.
      fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: 16, maxLength: 16 })
        .map((bytes) => new Uint8Array(bytes)),
    ),
    (bytes) => {
      const text = addressText(bytes);
      assertEquals(addressBytes(text)?.toHex(), bytes.toHex());
      assertEquals(parseHost(text), text);
      const authority = formatAuthority({ host: text, port: 80 });
      assertEquals(parseAuthority(authority), { host: text, port: 80 });
    },
  ));
});

for (const name of ["web.example", "1.2.3", "1.2.3.256", "1.2.3.4.5", ""]) {
  Deno.test(`destination: ${JSON.stringify(name)} is no address`, () => {
    assertEquals(addressBytes(name), undefined);
  });
}

Deno.test("S4.3: what differs in user, password or host has its own isolation key", () => {
  const keys = [
    isolationKey(undefined, undefined),
    isolationKey({ user: "a", password: "" }, undefined),
    isolationKey({ user: "", password: "a" }, undefined),
    isolationKey({ user: 'a","', password: "" }, undefined),
    isolationKey({ user: "a", password: "" }, "web.example"),
    isolationKey({ user: "a", password: "web.example" }, undefined),
    isolationKey(undefined, "web.example"),
  ];
  assertEquals(new Set(keys).size, keys.length);
  assertEquals(keys[0], "");
  assertEquals(isolationKey(undefined, "WEB.example"), keys.at(-1)!);
});

const BASIC: readonly (readonly [string, string, string])[] = [
  ["Basic dTpw", "u", "p"],
  ["basic  dTpw ", "u", "p"],
  ["Basic dTpwOnE=", "u", "p:q"],
  ["Basic dQ==", "u", ""],
  ["Basic Ojo=", "", ":"],
];

for (const [value, user, password] of BASIC) {
  Deno.test(`credentials: ${value}`, () => {
    assertEquals(basicCredentials(value), { user, password });
  });
}

for (const value of ["", "Basic", "Bearer dTpw", "Basic d", "Basic a b"]) {
  Deno.test(`credentials: ${JSON.stringify(value)} are none`, () => {
    assertEquals(basicCredentials(value), undefined);
  });
}
