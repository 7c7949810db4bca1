import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  formatFingerprint,
  formatServerAddress,
  isOnion,
  onionAddress,
  parseServerAddress,
} from "../../lib/identity/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";

const FINGERPRINT = new Uint8Array(32).fill(9);
const WORD = formatFingerprint(FINGERPRINT, "");

Deno.test("S0.2: an address may carry the server's fingerprint", () => {
  const text = `sotto://${WORD}@example.org:1234`;
  const address = parseServerAddress(text);
  assertEquals(address, {
    host: "example.org",
    port: 1234,
    fingerprint: FINGERPRINT,
  });
  assertEquals(formatServerAddress(address), text);
});

Deno.test("server address: the shorter forms", () => {
  const table: [string, string, number][] = [
    ["example.org", "example.org", 7607],
    ["example.org:1", "example.org", 1],
    ["example.org:65535", "example.org", 65535],
    ["EXAMPLE.org", "example.org", 7607],
    [" localhost \n", "localhost", 7607],
    ["127.0.0.1:80", "127.0.0.1", 80],
    ["[::1]", "::1", 7607],
    ["[::1]:80", "::1", 80],
    ["[2001:DB8:0:0:0:0:0:1]:80", "2001:db8::1", 80],
    ["[::ffff:127.0.0.1]", "::ffff:7f00:1", 7607],
    ["sotto://example.org", "example.org", 7607],
    ["sotto://example.org:80/", "example.org", 80],
    ["SOTTO://[::1]:80", "::1", 80],
    ["my_host-1", "my_host-1", 7607],
  ];
  for (const [text, host, port] of table) {
    const parsed = parseServerAddress(text);
    assertEquals(parsed, { host, port }, text);
    assertEquals(parseServerAddress(formatServerAddress(parsed)), parsed);
  }
});

Deno.test("server address: an onion service is named by its fingerprint", () => {
  const expected = {
    host: `${WORD}.onion`,
    port: 7607,
    fingerprint: FINGERPRINT,
  };
  for (
    const text of [
      `sotto://${WORD}.onion`,
      `sotto://${WORD}.onion/`,
      `SOTTO://${WORD.toUpperCase()}.ONION`,
      ` ${WORD}.onion\n`,
    ]
  ) {
    const address = parseServerAddress(text);
    assertEquals(address, expected, text);
    assertEquals(formatServerAddress(address), `sotto://${WORD}.onion`);
    assert(isOnion(address.host));
  }
  assertEquals(onionAddress(FINGERPRINT), expected);
  assertEquals(
    formatServerAddress({ host: expected.host, port: 7607 }),
    `sotto://${WORD}.onion`,
  );
  for (const host of ["onion", "example.onion.org", "onion.example.org"]) {
    assertEquals(parseServerAddress(host), { host, port: 7607 });
    assert(!isOnion(host));
  }
});

Deno.test("server address: what is no onion service is not looked up by name instead", () => {
  const wrong = [
    ".onion",
    "example.onion",
    "www.example.onion",
    "example.onion:80",
    `${WORD}.onion:7607`,
    `www.${WORD}.onion`,
    `${WORD.slice(1)}.onion`,
    `${WORD}a.onion`,
    `${WORD.slice(0, -1)}b.onion`,
    `${WORD.match(/.{4}/g)!.join("-")}.onion`,
    `sotto://${WORD}@${WORD}.onion`,
    `sotto://${WORD}@example.onion`,
    `[${WORD}.onion`,
    `${WORD}.onion.onion`,
  ];
  for (const text of wrong) {
    assertThrows(
      () => parseServerAddress(text),
      MalformedError,
      undefined,
      text,
    );
  }
});

Deno.test("server address: what is none", () => {
  const wrong = [
    "",
    ":80",
    "host:",
    "host:0",
    "host:65536",
    "host:123456",
    "host:-1",
    "host:8a",
    "host:80:90",
    "::1",
    "2001:db8::1",
    "[::1",
    "::1]",
    "[]",
    "[]:80",
    "[host]:80",
    "[::1]80",
    "[1::2::3]",
    "ho st",
    "host/path",
    "a@host",
    "-host",
    "host-",
    "a..b",
    ".host",
    "host.",
    "hö.st",
    "a".repeat(64),
    `${"a.".repeat(127)}a`,
    "http://host",
    "sotto://",
    "sotto://@host",
    "sotto://abc@host",
    `sotto://${WORD}a@host`,
    `sotto://${WORD}@`,
    `sotto://${WORD}@host@host`,
    "[@a",
    "[a@b]",
    `${WORD}@host`,
  ];
  for (const text of wrong) {
    assertThrows(
      () => parseServerAddress(text),
      MalformedError,
      undefined,
      text,
    );
  }
});

Deno.test("server address: nothing but the one error, and what parses is stable", () => {
  const unit = fc.constantFrom(
    ..."ab1.:[]@/-%_ sotto://".split(""),
    ".onion",
    WORD,
  );
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 30 }), (text) => {
      let parsed;
      try {
        parsed = parseServerAddress(text);
      } catch (error) {
        return error instanceof MalformedError;
      }
      const again = parseServerAddress(formatServerAddress(parsed));
      assertEquals(again, parsed);
      return true;
    }),
    { numRuns: 2000 },
  );
});
