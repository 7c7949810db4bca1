import { assertEquals, assertThrows } from "@std/assert";
import { generateKeyPairSync } from "node:crypto";
import { checkRsaKey, PUBLIC_KEYS_BYTES } from "../../lib/identity/mod.ts";
import { generateRsa, MalformedError } from "../../lib/protocol/mod.ts";
import { testRsaPair } from "../support/rsa_pair.ts";

Deno.test("public keys: 32 + 32 + 422 bytes", () => {
  assertEquals(PUBLIC_KEYS_BYTES, 486);
});

Deno.test("public keys: what the platform makes has the one accepted form", async () => {
  checkRsaKey((await generateRsa()).publicKey);
  checkRsaKey((await testRsaPair()).publicKey);
});

Deno.test("public keys: a modulus of 2,048 bits is refused", () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const spki = publicKey.export({ format: "der", type: "spki" });
  assertThrows(() => checkRsaKey(new Uint8Array(spki)), MalformedError);
});

Deno.test("public keys: no other way to write the same key", async () => {
  const { publicKey } = await testRsaPair();
  const head = publicKey.length - 384 - 5;
  const places = [
    ...Array(head).keys(), // around the modulus
    head, // its highest bit
    publicKey.length - 6, // its lowest
    ...Array.from({ length: 5 }, (_, i) => publicKey.length - 5 + i),
  ];
  for (const place of places) {
    const changed = publicKey.slice();
    changed[place]! ^= place === head ? 0x80 : 0x01;
    assertThrows(() => checkRsaKey(changed), MalformedError);
  }
  for (const length of [0, 1, 421]) {
    assertThrows(() => checkRsaKey(publicKey.slice(0, length)), MalformedError);
  }
});
