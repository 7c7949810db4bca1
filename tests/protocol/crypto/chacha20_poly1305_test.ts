import { assertEquals, assertRejects } from "@std/assert";
import { createCipheriv } from "node:crypto";
import fc from "fast-check";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import {
  importLayerKey,
  openLayer,
  sealLayer,
} from "../../../lib/protocol/crypto/chacha20_poly1305.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";

/** What OpenSSL makes of it. */
function theirs(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array) {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, {
    authTagLength: 16,
  });
  return new Uint8Array([
    ...cipher.update(plaintext),
    ...cipher.final(),
    ...cipher.getAuthTag(),
  ]);
}

Deno.test("layers are sealed as OpenSSL seals them (RFC 8439), and open again", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ minLength: 12, maxLength: 12 }),
      fc.uint8Array({ maxLength: 4_096 }),
      async (raw, nonce, plaintext) => {
        const bytes = new Uint8Array(plaintext);
        const key = await importLayerKey(new Uint8Array(raw));
        const sealed = await sealLayer(key, new Uint8Array(nonce), bytes);
        assertEquals(sealed, theirs(raw, nonce, plaintext));
        assertEquals(
          await openLayer(key, new Uint8Array(nonce), sealed),
          bytes,
        );
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("a layer that was altered, or is another's, does not open", async () => {
  const key = await importLayerKey(randomBytes(32));
  const nonce = randomBytes(12);
  const sealed = await sealLayer(key, nonce, randomBytes(40));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = sealed.slice();
    altered[bit >> 3]! ^= 1 << (bit & 7);
    await assertRejects(() => openLayer(key, nonce, altered), CryptoError);
  }
  const other = await importLayerKey(randomBytes(32));
  await assertRejects(() => openLayer(other, nonce, sealed), CryptoError);
  await assertRejects(
    () => openLayer(key, randomBytes(12), sealed),
    CryptoError,
  );
  await assertRejects(
    () => openLayer(key, nonce, sealed.slice(0, 10)),
    CryptoError,
  );
});
