import { assertEquals } from "@std/assert";
import { ephemeralDh } from "../../../lib/protocol/crypto/ephemeral_dh.ts";
import { dh } from "../../../lib/protocol/crypto/x25519.ts";

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
