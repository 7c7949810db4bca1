import { assertEquals, assertNotEquals } from "@std/assert";
import { concat, utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import { sha256 } from "../../../lib/protocol/crypto/hash.ts";
import { openingOf } from "../../../lib/protocol/noise/opening.ts";

Deno.test("openingOf: names of up to 32 bytes are padded, longer ones hashed (Noise rev 34 §5.2)", async () => {
  const name = "Noise_NN_25519_AESGCM_SHA256";
  assertEquals(
    (await openingOf(name, [])).chainingKey,
    concat(utf8(name), new Uint8Array(32 - name.length)),
  );
  const exact = "x".repeat(32);
  assertEquals((await openingOf(exact, [])).chainingKey, utf8(exact));
  const long = "x".repeat(33);
  const { chainingKey, hash } = await openingOf(long, []);
  assertEquals(chainingKey, await sha256(utf8(long)));
  assertEquals(hash, chainingKey);
});

Deno.test("openingOf: what was said beforehand is hashed in order, each time the same, split otherwise another", async () => {
  const name = utf8("x".repeat(32));
  const [a, b] = [utf8("a"), utf8("b")];
  const hash = await sha256(concat(await sha256(concat(name, a)), b));
  for (let i = 0; i < 2; i++) {
    const opening = await openingOf("x".repeat(32), [a, b]);
    assertEquals(opening, { chainingKey: name, hash });
  }
  for (const other of [[b, a], [concat(a, b)], [concat(a, b), utf8("")]]) {
    assertNotEquals((await openingOf("x".repeat(32), other)).hash, hash);
  }
});

Deno.test("openingOf: one that was forgotten for many others is the same again", async () => {
  const said = (i: number) => [Uint8Array.of(i >> 8, i)];
  const first = await openingOf("name", said(0));
  for (let i = 1; i <= 300; i++) await openingOf("name", said(i));
  assertEquals(await openingOf("name", said(0)), first);
  assertNotEquals((await openingOf("name", said(300))).hash, first.hash);
});
