import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { concat, utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import { hkdfSha256, sha256 } from "../../../lib/protocol/crypto/hash.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import { SymmetricState } from "../../../lib/protocol/noise/symmetric_state.ts";

const NOTHING = new Uint8Array(0);
const SECRET = new Uint8Array(32).fill(7);

Deno.test("SymmetricState: names of up to 32 bytes are padded, longer ones hashed (Noise rev 34 §5.2)", async () => {
  const name = "Noise_NN_25519_AESGCM_SHA256";
  assertEquals(
    (await SymmetricState.initialize(name)).hash,
    concat(utf8(name), new Uint8Array(32 - name.length)),
  );
  const exact = "x".repeat(32);
  assertEquals((await SymmetricState.initialize(exact)).hash, utf8(exact));
  const long = "x".repeat(33);
  assertEquals(
    (await SymmetricState.initialize(long)).hash,
    await sha256(utf8(long)),
  );
});

Deno.test("SymmetricState: mixing and splitting are RFC 5869's HKDF with the chaining key as salt", async () => {
  const state = await SymmetricState.initialize("x".repeat(32));
  await state.mixHash(utf8("a"));
  assertEquals(
    state.hash,
    await sha256(concat(utf8("x".repeat(32)), utf8("a"))),
  );
  await state.mixKey(SECRET);
  const mixed = await hkdfSha256(SECRET, utf8("x".repeat(32)), NOTHING, 64);
  await state.mixKeyAndHash(SECRET);
  const again = await hkdfSha256(SECRET, mixed.slice(0, 32), NOTHING, 96);
  assertEquals(
    state.hash,
    await sha256(
      concat(
        await sha256(concat(utf8("x".repeat(32)), utf8("a"))),
        again.slice(32, 64),
      ),
    ),
  );
  const split = await hkdfSha256(NOTHING, again.slice(0, 32), NOTHING, 64);
  assertEquals(concat(...await state.split()), split);
});

Deno.test("SymmetricState: what is sealed is bound to everything that was said before", async () => {
  const [a, b, c] = [
    await SymmetricState.initialize("name"),
    await SymmetricState.initialize("name"),
    await SymmetricState.initialize("name"),
  ];
  for (const each of [a, b, c]) await each.mixKey(SECRET);
  await c.mixHash(utf8("something else"));
  const sealed = await a.encryptAndHash(utf8("x"));
  assertEquals(await b.decryptAndHash(sealed), utf8("x"));
  assertEquals(a.hash, b.hash);
  await assertRejects(() => c.decryptAndHash(sealed), CryptoError);
  assertNotEquals(await a.encryptAndHash(utf8("x")), sealed);
});
