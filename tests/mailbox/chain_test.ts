import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { hkdfSync } from "node:crypto";
import { advance, openSealed, sealLetter } from "../../lib/mailbox/chain.ts";
import { RatchetError } from "../../lib/mailbox/ratchet_error.ts";
import { codeOf, flipped } from "./people.ts";

const KEY = new Uint8Array(32).fill(5);

Deno.test("chain: a step is one HKDF, cut into chain key, AES key and nonce", async () => {
  const expected = new Uint8Array(
    hkdfSync("sha256", KEY, new Uint8Array(0), "sotto ratchet chain v1", 76),
  );
  const { chain, messageKey } = await advance({ key: KEY, next: 41 });
  assertEquals(chain, { key: expected.slice(0, 32), next: 42 });
  assertEquals(messageKey, expected.slice(32));
  const further = await advance(chain);
  assertNotEquals(further.messageKey, messageKey);
});

Deno.test("chain: the counter has a hard end", async () => {
  const last = await advance({ key: KEY, next: 0xfffffffe });
  assertEquals(last.chain.next, 0xffffffff);
  assertEquals(await codeOf(() => advance(last.chain)), "ERR_RATCHET_END");
});

Deno.test("chain: a sealed letter opens with its key and nothing else", async () => {
  const { messageKey } = await advance({ key: KEY, next: 0 });
  const plaintext = new Uint8Array([1, 2, 3]);
  const associated = new Uint8Array([4, 5]);
  const sealed = await sealLetter(messageKey, plaintext, associated);
  assertEquals(sealed.length, 3 + 16);
  assertEquals(await openSealed(messageKey, sealed, associated), plaintext);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    await refused(messageKey, flipped(sealed, bit), associated);
  }
  for (let bit = 0; bit < associated.length * 8; bit++) {
    await refused(messageKey, sealed, flipped(associated, bit));
  }
  for (let bit = 0; bit < messageKey.length * 8; bit++) {
    await refused(flipped(messageKey, bit), sealed, associated);
  }
  for (let length = 0; length < sealed.length; length++) {
    await refused(messageKey, sealed.slice(0, length), associated);
  }
});

async function refused(
  ...attempt: Parameters<typeof openSealed>
): Promise<void> {
  const error = await assertRejects(() => openSealed(...attempt), RatchetError);
  assertEquals(error.code, "ERR_RATCHET_UNOPENED");
}
