import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsrKeys } from "../../lib/account/usr_keys.ts";
import {
  CryptoError,
  randomBytes,
  RSA_SPKI_BYTES,
  rsaDecrypt,
  rsaEncrypt,
} from "../../lib/protocol/mod.ts";
import type { RsaKeyPair } from "../../lib/protocol/mod.ts";
import { testRsaPair } from "../support/rsa_pair.ts";

const LABEL = new Uint8Array(32);

Deno.test("S0.5: every account gets a pair of its own, also when several ask at one moment", async () => {
  const keys = new UsrKeys(randomBytes(32));
  const id = randomBytes(32);
  const made = [await keys.make(id)];
  // The next pair lies ready now, and must not go to both.
  made.push(...await Promise.all([keys.make(id), keys.make(id)]));
  await keys.close();
  const distinct = new Set(made.map(({ publicKey }) => publicKey.toHex()));
  assertEquals(distinct.size, 3);
  for (const each of made) {
    assertEquals(each.publicKey.length, RSA_SPKI_BYTES);
    const { privateKey } = await keys.unwrap(each, id);
    const sealed = await rsaEncrypt(each.publicKey, id, LABEL);
    assertEquals(await rsaDecrypt(privateKey, sealed, LABEL), id);
  }
});

Deno.test("USR keys: no two callers share a pair, however they come", async () => {
  let made = 0;
  const generate = async (): Promise<RsaKeyPair> => {
    const number = ++made;
    const pair = await testRsaPair();
    await new Promise((resolve) => setTimeout(resolve, number % 3));
    return { ...pair, publicKey: new Uint8Array([number]) };
  };
  const keys = new UsrKeys(randomBytes(32), generate);
  const id = randomBytes(32);
  const seen: number[] = [];
  for (const together of [1, 3, 1, 5, 2]) {
    const batch = await Promise.all(
      Array.from({ length: together }, () => keys.make(id)),
    );
    seen.push(...batch.map(({ publicKey }) => publicKey[0]!));
  }
  await keys.close();
  assertEquals(new Set(seen).size, 12);
  assert(made <= 12 + 1, `${made} pairs were made for 12`);
});

Deno.test("S0.5: the private half opens with this server's secret for this account only", async () => {
  const secret = randomBytes(32);
  const keys = new UsrKeys(secret);
  const id = randomBytes(32);
  const stored = await keys.seal(await testRsaPair(), id);
  await keys.unwrap(stored, id);
  // The same secret after a restart.
  await new UsrKeys(secret).unwrap(stored, id);

  const { wrapped } = stored;
  const altered = Array.from({ length: 8 }, (_, i) => {
    const copy = wrapped.slice();
    copy[Math.floor(i * (copy.length - 1) / 7)]! ^= 1 << i;
    return { ...stored, wrapped: copy };
  });
  const stranger = new UsrKeys(randomBytes(32));
  await assertRejects(() => stranger.unwrap(stored, id), CryptoError);
  await assertRejects(() => keys.unwrap(stored, randomBytes(32)), CryptoError);
  for (const each of altered) {
    await assertRejects(() => keys.unwrap(each, id), CryptoError);
  }
  for (const length of [0, 1, 12, 27, 28, wrapped.length - 1]) {
    const cut = { ...stored, wrapped: wrapped.slice(0, length) };
    await assertRejects(() => keys.unwrap(cut, id), CryptoError);
  }
});

Deno.test("S0.5: sealed twice, the private half looks different and never bare", async () => {
  const keys = new UsrKeys(randomBytes(32));
  const id = randomBytes(32);
  const pair = await testRsaPair();
  const [a, b] = [await keys.seal(pair, id), await keys.seal(pair, id)];
  assert(a.wrapped.toHex() !== b.wrapped.toHex());
  // PKCS#8 of an RSA key begins with its version and algorithm, which a sealed one does not show.
  const algorithm = "020100300d06092a864886f70d010101";
  for (const { wrapped } of [a, b]) {
    assert(!wrapped.toHex().includes(algorithm));
  }
});
