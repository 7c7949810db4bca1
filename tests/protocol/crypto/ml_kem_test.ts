import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { concat } from "../../../lib/protocol/bytes/bytes.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import {
  decapsulate,
  encapsulate,
  exportKem,
  generateKem,
  importKem,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  KEM_SECRET_BYTES,
  KEM_SEED_BYTES,
} from "../../../lib/protocol/crypto/ml_kem.ts";

const SEED = new Uint8Array(KEM_SEED_BYTES).map((_, i) => i);

/** SHAKE256(z ‖ c), 32 bytes: what a rejected ciphertext must give (FIPS 203 algorithm 18). */
async function rejection(z: Bytes, ciphertext: Bytes): Promise<Bytes> {
  const shake = { name: "cSHAKE256", outputLength: 256 };
  const input = concat(z, ciphertext);
  return new Uint8Array(await crypto.subtle.digest(shake, input));
}

Deno.test("ML-KEM-768: both sides get one secret of 32 bytes, another time another", async () => {
  const pair = await generateKem();
  assertEquals(pair.publicKey.length, KEM_PUBLIC_BYTES);
  const a = await encapsulate(pair.publicKey);
  const b = await encapsulate(pair.publicKey);
  assertEquals(a.ciphertext.length, KEM_CIPHERTEXT_BYTES);
  assertEquals(a.secret.length, KEM_SECRET_BYTES);
  assertEquals(await decapsulate(pair.privateKey, a.ciphertext), a.secret);
  assertEquals(await decapsulate(pair.privateKey, b.ciphertext), b.secret);
  assertNotEquals(a.secret, b.secret);
});

Deno.test("ML-KEM-768: an altered ciphertext gives the secret of implicit rejection, never an error (FIPS 203 §6.3)", async () => {
  const { publicKey, privateKey } = await importKem(SEED);
  const { secret, ciphertext } = await encapsulate(publicKey);
  const seen = new Set([secret.toHex()]);
  for (let byte = 0; byte < ciphertext.length; byte += 17) {
    const altered = ciphertext.slice();
    altered[byte]! ^= 1 << (byte & 7);
    const rejected = await decapsulate(privateKey, altered);
    assertEquals(rejected, await rejection(SEED.slice(32), altered));
    seen.add(rejected.toHex());
  }
  assertEquals(seen.size, 1 + Math.ceil(KEM_CIPHERTEXT_BYTES / 17));
});

Deno.test("ML-KEM-768: another's key gives another secret", async () => {
  const { publicKey } = await generateKem();
  const other = await generateKem();
  const { secret, ciphertext } = await encapsulate(publicKey);
  assertNotEquals(await decapsulate(other.privateKey, ciphertext), secret);
});

Deno.test("ML-KEM-768: what is not of its length is refused", async () => {
  const { publicKey, privateKey } = await generateKem();
  for (
    const length of [0, 1, KEM_CIPHERTEXT_BYTES - 1, KEM_CIPHERTEXT_BYTES + 1]
  ) {
    await assertRejects(
      () => decapsulate(privateKey, new Uint8Array(length)),
      CryptoError,
    );
  }
  for (const length of [0, KEM_PUBLIC_BYTES - 1, KEM_PUBLIC_BYTES + 1]) {
    const key = new Uint8Array(length);
    key.set(publicKey.subarray(0, length));
    await assertRejects(() => encapsulate(key), CryptoError);
  }
  for (const length of [0, 32, KEM_SEED_BYTES - 1, KEM_SEED_BYTES + 1]) {
    await assertRejects(() => importKem(new Uint8Array(length)), CryptoError);
  }
});

Deno.test("ML-KEM-768: an encapsulation key with a coefficient of q or more is refused (FIPS 203 §7.2)", async () => {
  const { publicKey } = await generateKem();
  // Coefficients are 12 bits each, little-endian: these make the first 3329, the second 3329, the last 4095.
  const bad: readonly (readonly [number, number, number])[] = [
    [0, 0x01, 0x0d],
    [1, 0x10, 0xd0],
    [1_150, 0xff, 0xff],
  ];
  for (const [at, low, high] of bad) {
    const key = publicKey.slice();
    if (at === 1) {
      key[1] = (key[1]! & 0x0f) | low;
      key[2] = high;
    } else {
      key[at] = low;
      key[at + 1] = at === 0 ? (key[1]! & 0xf0) | high : high;
    }
    await assertRejects(() => encapsulate(key), CryptoError);
  }
});

Deno.test("ML-KEM-768: a pair is its seed, and leaves only if it may", async () => {
  const pair = await generateKem(true);
  const seed = await exportKem(pair);
  assertEquals(seed.length, KEM_SEED_BYTES);
  const again = await importKem(seed);
  assertEquals(again.publicKey, pair.publicKey);
  const { secret, ciphertext } = await encapsulate(pair.publicKey);
  assertEquals(await decapsulate(again.privateKey, ciphertext), secret);
  await assertRejects(() => exportKem(again), CryptoError);
  await assertRejects(
    async () => exportKem(await generateKem()),
    CryptoError,
  );
});
