import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import {
  AEAD_TAG_BYTES,
  importAead,
  open,
  seal,
} from "../../../lib/protocol/crypto/aead.ts";

const hex = (text: string): Bytes => Uint8Array.fromHex(text);

// The 256-bit test cases with 96-bit nonces of McGrew and Viega's GCM submission to NIST, appendix B.
const KEY = "feffe9928665731c6d6a8f9467308308".repeat(2);
const NONCE = "cafebabefacedbaddecaf888";
const PLAINTEXT =
  "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" +
  "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
const CIPHERTEXT =
  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" +
  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
const CASES: readonly (readonly string[])[] = [
  [
    "13",
    "00".repeat(32),
    "00".repeat(12),
    "",
    "",
    "",
    "530f8afbc74536b9a963b4f1c4cb738b",
  ],
  [
    "14",
    "00".repeat(32),
    "00".repeat(12),
    "00".repeat(16),
    "",
    "cea7403d4d606b6e074ec5d3baf39d18",
    "d0d1c8a799996bf0265b98b5d48ab919",
  ],
  [
    "15",
    KEY,
    NONCE,
    PLAINTEXT,
    "",
    CIPHERTEXT,
    "b094dac5d93471bdec1a502270e3cc6c",
  ],
  [
    "16",
    KEY,
    NONCE,
    PLAINTEXT.slice(0, 120),
    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    CIPHERTEXT.slice(0, 120),
    "76fc6ece0f4e1768cddf8853bb2d551b",
  ],
];

for (
  const [name, key, nonce, plaintext, associated, ciphertext, tag] of CASES
) {
  Deno.test(`AES-256-GCM: NIST submission's test case ${name}`, async () => {
    const imported = await importAead(hex(key!));
    const sealed = await seal(
      imported,
      hex(nonce!),
      hex(plaintext!),
      hex(associated!),
    );
    assertEquals(sealed.toHex(), ciphertext! + tag!);
    const opened = await open(imported, hex(nonce!), sealed, hex(associated!));
    assertEquals(opened.toHex(), plaintext);
  });
}

Deno.test("AES-256-GCM: every flipped bit, every cut, another key, nonce or associated data is refused", async () => {
  const key = await importAead(hex(KEY));
  const nonce = hex(NONCE);
  const associated = hex("0011");
  const sealed = await seal(key, nonce, hex("c0ffee"), associated);
  assertEquals(sealed.length, 3 + AEAD_TAG_BYTES);
  assertEquals((await open(key, nonce, sealed, associated)).toHex(), "c0ffee");
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = sealed.slice();
    altered[bit >> 3]! ^= 1 << (bit & 7);
    await assertRejects(
      () => open(key, nonce, altered, associated),
      CryptoError,
    );
  }
  for (let length = 0; length < sealed.length; length++) {
    await assertRejects(
      () => open(key, nonce, sealed.slice(0, length), associated),
      CryptoError,
    );
  }
  const other = await importAead(hex("00".repeat(32)));
  const refused: readonly [CryptoKey, Bytes, Bytes | undefined][] = [
    [other, nonce, associated],
    [key, hex("00".repeat(12)), associated],
    [key, nonce, hex("0012")],
    [key, nonce, hex("001100")],
    [key, nonce, undefined],
  ];
  for (const [k, n, a] of refused) {
    const error = await assertRejects(() => open(k, n, sealed, a), CryptoError);
    assertEquals(error.code, "ERR_CRYPTO");
    assertEquals(error.message, "Cannot open a sealed message");
  }
});

Deno.test("AES-256-GCM: the input is taken when the call is made; changing it later changes nothing", async () => {
  const key = await importAead(hex(KEY));
  const plaintext = new Uint8Array(100_000).fill(7);
  const nonce = hex(NONCE);
  const associated = hex("0011");
  const sealing = seal(key, nonce, plaintext, associated);
  plaintext.fill(0);
  nonce.fill(0);
  associated.fill(0);
  const sealed = await sealing;
  const copy = sealed.slice();
  const opening = open(key, hex(NONCE), copy, hex("0011"));
  copy.fill(0);
  assertEquals(await opening, new Uint8Array(100_000).fill(7));
});

Deno.test("AES-256-GCM: a key is 32 bytes and cannot be read back", async () => {
  await assertRejects(() => importAead(hex("00".repeat(31))), CryptoError);
  await assertRejects(() => importAead(hex("00".repeat(33))), CryptoError);
  const key = await importAead(hex(KEY));
  await assertRejects(() => crypto.subtle.exportKey("raw", key));
});

Deno.test("AES-256-GCM: one nonce more gives other bytes throughout", async () => {
  const key = await importAead(hex(KEY));
  const zeros = new Uint8Array(32);
  const a = await seal(key, hex("00".repeat(11) + "00"), zeros);
  const b = await seal(key, hex("00".repeat(11) + "01"), zeros);
  assertNotEquals(a, b);
  assertNotEquals(a.slice(0, 16), b.slice(0, 16));
});
