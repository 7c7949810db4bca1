import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { importAead, open, seal } from "../../../lib/protocol/crypto/aead.ts";
import { hkdfSha256 } from "../../../lib/protocol/crypto/hash.ts";
import {
  REKEY_AFTER_RECORDS,
  TrafficKey,
} from "../../../lib/protocol/channel/traffic_key.ts";
import { counterNonce } from "../../../lib/protocol/noise/cipher_state.ts";

const RAW = new Uint8Array(32).fill(7);
const EMPTY = new Uint8Array(0);

/** Asserts that the next record of `key` is sealed under `raw` with `counter`. */
async function sealsUnder(
  key: TrafficKey,
  raw: Bytes,
  counter: bigint,
): Promise<void> {
  const { key: taken, nonce } = key.take();
  assertEquals(nonce, counterNonce(counter));
  const sealed = await seal(await taken, nonce, utf8("x"));
  const opened = await open(await importAead(raw), nonce, sealed);
  assertEquals(opened, utf8("x"));
}

Deno.test("TrafficKey: no two records share key and nonce, however many are taken at once", async () => {
  const key = await TrafficKey.of(RAW, 10);
  const taken = Array.from({ length: 35 }, () => key.take());
  const seen = new Set<string>();
  for (const { key: sealing, nonce } of taken) {
    const sealed = await seal(await sealing, nonce, utf8("same"));
    seen.add(sealed.toHex());
  }
  assertEquals(seen.size, 35);
});

Deno.test("TrafficKey: the key that follows is HKDF of the one before, and its counter starts at zero", async () => {
  const key = await TrafficKey.of(RAW, 2);
  const second = await hkdfSha256(RAW, EMPTY, utf8("sotto rekey"), 32);
  const third = await hkdfSha256(second, EMPTY, utf8("sotto rekey"), 32);
  await sealsUnder(key, RAW, 0n);
  await sealsUnder(key, RAW, 1n);
  await sealsUnder(key, second, 0n);
  await sealsUnder(key, second, 1n);
  await sealsUnder(key, third, 0n);
});

Deno.test("TrafficKey: a secret mixed in gives HKDF of the secret with the key as salt, and leaves the key alone", async () => {
  const key = await TrafficKey.of(RAW);
  key.take();
  const mixed = await key.mixed(utf8("secret"));
  const raw = await hkdfSha256(utf8("secret"), RAW, utf8("sotto mix"), 32);
  await sealsUnder(mixed, raw, 0n);
  await sealsUnder(key, RAW, 1n);
  const other = await key.mixed(utf8("secreT"));
  const { key: a, nonce } = mixed.take();
  const { key: b } = other.take();
  assertNotEquals(
    await seal(await a, nonce, utf8("x")),
    await seal(await b, nonce, utf8("x")),
  );
});

Deno.test("TrafficKey: what is mixed after a rekey builds on the key in use", async () => {
  const key = await TrafficKey.of(RAW, 1);
  key.take();
  key.take();
  const second = await hkdfSha256(RAW, EMPTY, utf8("sotto rekey"), 32);
  const mixed = await key.mixed(utf8("secret"));
  const raw = await hkdfSha256(utf8("secret"), second, utf8("sotto mix"), 32);
  await sealsUnder(mixed, raw, 0n);
});

Deno.test("TrafficKey: the key changes long before GCM's counter or its bounds are near", () => {
  assertEquals(REKEY_AFTER_RECORDS, 2 ** 20);
  // At most 2^20 records of 64 KiB: 2^32 blocks of 16 bytes under one key.
  assert(REKEY_AFTER_RECORDS * (65_536 / 16) <= 2 ** 32);
});
