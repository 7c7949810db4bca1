import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  formatFingerprint,
  KnownServers,
  ServerKeyChangedError,
} from "../../lib/identity/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";

const ONE = new Uint8Array(32).fill(1);
const TWO = new Uint8Array(32).fill(2);
const ONE_WORD = formatFingerprint(ONE, "");
const TWO_WORD = formatFingerprint(TWO, "");

Deno.test("S0.2: a server is new, then the same, then changed", () => {
  const none = KnownServers.parse("");
  assertEquals(none.check("host", 7607, ONE), "new");
  const known = none.with("host", 7607, ONE);
  assertEquals(known.check("host", 7607, ONE), "match");
  assertEquals(known.check("host", 7607, TWO), { changed: ONE });
  assertEquals(known.check("host", 7608, TWO), "new");
  assertEquals(known.check("other", 7607, TWO), "new");
  assertEquals(none.size, 0, "the first one has not changed");
  assertEquals(known.size, 1);
});

Deno.test("known servers: the spelling of a host does not hide its pin", () => {
  const known = KnownServers.parse(
    `EXAMPLE.org:7607 ${ONE_WORD}\n[0:0::1]:80 ${ONE_WORD}`,
  );
  assertEquals(known.check("example.ORG", 7607, TWO), { changed: ONE });
  assertEquals(known.check("::1", 80, TWO), { changed: ONE });
});

Deno.test("known servers: a server of the onion network is pinned like any other", () => {
  const host = `${ONE_WORD}.onion`;
  const known = KnownServers.parse("").with(host, 7607, ONE);
  const again = KnownServers.parse(known.format());
  assertEquals(again.check(host, 7607, ONE), "match");
  assertEquals(again.check(host, 7607, TWO), { changed: ONE });
});

Deno.test("known servers: comments, blank lines and remarks stay as they are", () => {
  const text = [
    "# my servers",
    "",
    `  host:7607   ${ONE_WORD.toUpperCase()}   the one in the cellar`,
    "\t# more",
    `[::1]:80 ${TWO_WORD}`,
    "",
  ].join("\n");
  const known = KnownServers.parse(text);
  assertEquals(known.format(), text);
  assertEquals(known.size, 2);
  assertEquals(
    known.with("new", 1, ONE).format(),
    `${text}new:1 ${ONE_WORD}\n`,
  );
  assertEquals(
    known.with("host", 7607, TWO).format(),
    text.replace(/ {2}host.*/, `host:7607 ${TWO_WORD}`),
  );
  assertEquals(
    known.without("host", 7607).format(),
    text.replace(/ {2}host.*\n/, ""),
  );
  assertEquals(known.without("none", 1).format(), text);
  // A last line without its end, and lines as Windows ends them.
  assertEquals(KnownServers.parse("# a\r\n# b").format(), "# a\n# b\n");
});

Deno.test("known servers: a line that does not parse is an error that names it, never a server unknown", () => {
  const wrong = [
    "host",
    "host:7607",
    `host:99999 ${ONE_WORD}`,
    `host:7607 ${ONE_WORD}a`,
    `host:7607 ${ONE_WORD.slice(1)}`,
    ONE_WORD,
    `sotto://${ONE_WORD}@host ${ONE_WORD}`,
    `ho/st:1 ${ONE_WORD}`,
  ];
  for (const line of wrong) {
    assertThrows(
      () => KnownServers.parse(`# first\n${line}\n`),
      MalformedError,
      "line 2",
    );
  }
  assertThrows(
    () =>
      KnownServers.parse(`a:1 ${ONE_WORD}\nb:1 ${ONE_WORD}\nA:1 ${TWO_WORD}`),
    MalformedError,
    "line 3",
  );
});

Deno.test("S0.2: a changed key is refused loudly, with what to do", () => {
  const error = new ServerKeyChangedError("host:7607", ONE, TWO);
  assertEquals(error.code, "ERR_SERVER_KEY_CHANGED");
  assertEquals([error.address, error.expected, error.seen], [
    "host:7607",
    ONE,
    TWO,
  ]);
  for (
    const part of [
      "HAS CHANGED",
      formatFingerprint(ONE),
      formatFingerprint(TWO),
      "remove the line of host:7607",
    ]
  ) assert(error.warning.includes(part), part);
  assert(error.message.includes("HAS CHANGED"));
  assert(!error.message.includes("\n"), "one line, for reports");
});

Deno.test("known servers: after any sequence of pins the file reads back to the same servers", () => {
  const step = fc.tuple(
    fc.constantFrom("a", "b.c", "::1", "127.0.0.1"),
    fc.integer({ min: 1, max: 3 }),
    fc.constantFrom(ONE, TWO),
    fc.boolean(),
  );
  fc.assert(fc.property(fc.array(step), (steps) => {
    let known = KnownServers.parse("# kept\n");
    const model = new Map<string, Uint8Array>();
    for (const [host, port, fingerprint, pin] of steps) {
      if (pin) {
        known = known.with(host, port, fingerprint);
        model.set(`${host} ${port}`, fingerprint);
      } else {
        known = known.without(host, port);
        model.delete(`${host} ${port}`);
      }
      known = KnownServers.parse(known.format());
    }
    assertEquals(known.size, model.size);
    for (const [key, fingerprint] of model) {
      const [host, port] = key.split(" ");
      assertEquals(known.pinned(host!, Number(port)), fingerprint);
    }
    assert(known.format().startsWith("# kept\n"));
  }));
});
