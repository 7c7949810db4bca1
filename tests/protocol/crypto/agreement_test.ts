import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { concat } from "../../../lib/protocol/bytes/bytes.ts";
import { agree, ephemeralDh } from "../../../lib/protocol/crypto/agreement.ts";
import { hkdfSha256 } from "../../../lib/protocol/crypto/hash.ts";
import { randomBytes } from "../../../lib/protocol/crypto/random.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import { dh, importDh } from "../../../lib/protocol/crypto/x25519.ts";

Deno.test("agree: X25519, then HKDF, as one after the other; both sides get the same", async () => {
  for (const length of [16, 32, 48, 100]) {
    const ours = await ephemeralDh();
    const theirs = await importDh(randomBytes(32));
    const salt = concat(ours.publicKey, theirs.publicKey);
    const info = randomBytes(length);
    const expected = await hkdfSha256(
      await dh(ours.privateKey, theirs.publicKey),
      salt,
      info,
      length,
    );
    assertEquals(
      await agree(ours.privateKey, theirs.publicKey, salt, info, length),
      expected,
    );
    assertEquals(
      await agree(theirs.privateKey, ours.publicKey, salt, info, length),
      expected,
    );
  }
});

Deno.test("agree: whoever differs in salt or info gets another key", async () => {
  const ours = await ephemeralDh();
  const { publicKey } = await ephemeralDh();
  const derive = (salt: number, info: number) =>
    agree(
      ours.privateKey,
      publicKey,
      Uint8Array.of(salt),
      Uint8Array.of(info),
      32,
    );
  const key = await derive(1, 1);
  assertEquals(await derive(1, 1), key);
  assertNotEquals(await derive(2, 1), key);
  assertNotEquals(await derive(1, 2), key);
});

Deno.test("agree: keys of low order and of another length are refused", async () => {
  const { privateKey } = await ephemeralDh();
  const none = new Uint8Array(0);
  const one = new Uint8Array(32);
  one[0] = 1;
  for (const key of [none, new Uint8Array(31), new Uint8Array(32), one]) {
    await assertRejects(
      () => agree(privateKey, key, none, none, 32),
      CryptoError,
      "X25519",
    );
  }
});

Deno.test("ephemeralDh: a new pair each time, its halves belonging together", async () => {
  const pairs = await Promise.all(Array.from({ length: 20 }, ephemeralDh));
  const names = pairs.map(({ publicKey }) => publicKey.toHex());
  assertEquals(new Set(names).size, 20);
  const base = new Uint8Array(32);
  base[0] = 9;
  for (const { publicKey, privateKey } of pairs) {
    assertEquals(publicKey.length, 32);
    assertEquals(await dh(privateKey, base), publicKey);
    assertEquals(privateKey.extractable, false);
  }
});
