import { assertEquals, assertRejects } from "@std/assert";
import {
  importLayerKey,
  openLayer,
  sealLayer,
} from "../../../lib/protocol/crypto/chacha20_poly1305.ts";
import { LayerCipher } from "../../../lib/protocol/crypto/layer_cipher.ts";
import { randomBytes } from "../../../lib/protocol/crypto/random.ts";

Deno.test("a cipher under one nonce does what sealing and opening one by one do", async () => {
  const nonce = randomBytes(12);
  const cipher = new LayerCipher(nonce);
  for (const length of [0, 1, 16, 560, 65_536]) {
    const key = await importLayerKey(randomBytes(32));
    const plaintext = randomBytes(length);
    const sealed = new Uint8Array(await cipher.seal(key, plaintext));
    assertEquals(sealed, await sealLayer(key, nonce, plaintext));
    assertEquals(await openLayer(key, nonce, sealed), plaintext);
    assertEquals(new Uint8Array(await cipher.open(key, sealed)), plaintext);
  }
});

Deno.test("a cipher opens nothing that was altered, or sealed with another key or nonce", async () => {
  const cipher = new LayerCipher(randomBytes(12));
  const key = await importLayerKey(randomBytes(32));
  const sealed = new Uint8Array(await cipher.seal(key, randomBytes(40)));
  for (let at = 0; at < sealed.length; at++) {
    const altered = sealed.slice();
    altered[at]! ^= 1 << at % 8;
    await assertRejects(() => cipher.open(key, altered));
    await assertRejects(() => cipher.open(key, sealed.slice(0, at)));
  }
  const other = await importLayerKey(randomBytes(32));
  await assertRejects(() => cipher.open(other, sealed));
  await assertRejects(() => new LayerCipher(randomBytes(12)).open(key, sealed));
});
