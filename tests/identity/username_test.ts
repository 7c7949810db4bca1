import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseAddress, parseUsername } from "../../lib/identity/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";

Deno.test("S2.3: a username may name its zone", () => {
  assertEquals(parseUsername("alice", "home.example"), {
    name: "alice",
    zone: "home.example",
    address: "alice@home.example",
  });
  assertEquals(
    parseUsername("alice@elsewhere", "home.example").address,
    "alice@elsewhere",
  );
});

Deno.test("username: lengths and first characters at their limits", () => {
  const accepted = [
    "a",
    "0",
    "a".repeat(32),
    "a.b_c-d",
    "a@0",
    "a@" + "z".repeat(64),
    "a@z-.",
  ];
  for (const text of accepted) parseUsername(text, "zone");
  const refused = [
    "",
    "@zone",
    "a@",
    "a".repeat(33),
    "a@" + "z".repeat(65),
    ".a",
    "-a",
    "_a",
    "Alice",
    "a@Zone",
    "a@.zone",
    "a@-zone",
    "a@zo_ne",
    "a@b@c",
    "a b",
    " a",
    "a\n",
    "a@z\n",
    "ä",
    "a\0",
    "а", // Cyrillic
    "../a",
    "a/b",
  ];
  for (const text of refused) {
    assertThrows(() => parseUsername(text, "zone"), MalformedError);
  }
});

Deno.test("username: the default zone is held to the same rule", () => {
  assertThrows(() => parseUsername("alice", ""), MalformedError, "zone");
  assertThrows(() => parseUsername("alice", "a@b"), MalformedError, "zone");
});

Deno.test("username: a canonical address leaves nothing out", () => {
  assertEquals(parseAddress("alice@zone").address, "alice@zone");
  assertThrows(() => parseAddress("alice"), MalformedError);
});

Deno.test("username: what parses is canonical, whatever goes in", () => {
  const letters = fc.constantFrom(..."abz09._-@ A".split(""));
  fc.assert(
    fc.property(fc.string({ unit: letters, maxLength: 40 }), (text) => {
      let parsed;
      try {
        parsed = parseUsername(text, "zone");
      } catch (error) {
        return error instanceof MalformedError;
      }
      assertEquals(parseAddress(parsed.address), parsed);
      return text === parsed.address || text === parsed.name;
    }),
  );
});
