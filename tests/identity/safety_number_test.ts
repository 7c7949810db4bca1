import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  formatSafetyNumber,
  MINIMUM_COST,
  safetyNumber,
} from "../../lib/identity/mod.ts";
import { argon2id, sha256, utf8 } from "../../lib/protocol/mod.ts";
import { WORDS } from "../../lib/identity/words.ts";
import { freshKeyring, testKeyring } from "../support/keyrings.ts";

async function certificateOf(address: string) {
  return (await testKeyring(address)).certificate;
}

Deno.test("safety number: it is the same on both sides: 12 groups of 5 digits and 8 words", async () => {
  const alice = await certificateOf("alice@zone");
  const bob = await certificateOf("bob@zone");
  const number = await safetyNumber(alice, bob);
  assertEquals(await safetyNumber(bob, alice), number);
  assertEquals(number.groups.length, 12);
  assert(number.groups.every((group) => /^[0-9]{5}$/.test(group)));
  assertEquals(number.words.length, 8);
  assert(number.words.every((word) => WORDS.includes(word)));
  const rows = formatSafetyNumber(number).split("\n");
  assertEquals(rows.slice(0, 3).join(" "), number.groups.join(" "));
  assertEquals(rows[3], number.words.join(" "));
});

Deno.test("safety number: each half belongs to one side and is computed as the documentation says", async () => {
  const alice = await certificateOf("alice@zone");
  const number = await safetyNumber(alice, alice);
  const hash = await argon2id(
    alice.bytes,
    utf8("sotto safety v1\0"),
    MINIMUM_COST,
    36,
  );
  // A second way to compute it, on plain numbers.
  const groups = [];
  for (let at = 0; at < 30; at += 5) {
    let value = 0;
    for (const byte of hash.subarray(at, at + 5)) value = value * 256 + byte;
    groups.push(String(value % 100_000).padStart(5, "0"));
  }
  const bits = [...hash.subarray(30)]
    .map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const words = [1, 2, 3, 4].map((i) =>
    WORDS[parseInt(bits.slice(48 - 11 * i, 48 - 11 * (i - 1)), 2)]!
  );
  assertEquals(number.groups, [...groups, ...groups]);
  assertEquals(number.words, [...words, ...words]);
});

Deno.test("safety number: whoever takes a name over shows in the number", async () => {
  const alice = await certificateOf("alice@zone");
  const bob = await certificateOf("bob@zone");
  const mallory = (await freshKeyring("bob@zone")).certificate;
  const number = await safetyNumber(alice, bob);
  const changed = await safetyNumber(alice, mallory);
  assertNotEquals(number.groups, changed.groups);
  assertNotEquals(number.words, changed.words);
  const mine = (await safetyNumber(alice, alice)).groups.slice(0, 6).join();
  assert(number.groups.join().includes(mine), "the half of Alice stays");
  assert(changed.groups.join().includes(mine), "the half of Alice stays");
});

Deno.test("safety number: the word list is the one of BIP-39", async () => {
  assertEquals(WORDS.length, 2048);
  assertEquals(
    (await sha256(utf8(WORDS.join("\n") + "\n"))).toHex(),
    "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda",
  );
  assertEquals(new Set(WORDS.map((word) => word.slice(0, 4))).size, 2048);
});
