import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { concat, u32, utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import {
  HASH_BYTES,
  hkdfExpandSha512,
  hkdfSha256,
  hmacSha256,
  oneStepKdf,
  sha256,
} from "../../../lib/protocol/crypto/hash.ts";

const hex = (text: string): Bytes => Uint8Array.fromHex(text);
const range = (from: number, to: number): Bytes =>
  new Uint8Array(to - from + 1).map((_, i) => from + i);

// FIPS 180-4's examples, as NIST publishes them with intermediate values.
const HASHES: readonly (readonly [string, Bytes, string])[] = [
  [
    "nothing",
    utf8(""),
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  ],
  [
    "abc",
    utf8("abc"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  ],
  [
    "two blocks",
    utf8("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
  [
    "a million times a",
    utf8("a".repeat(1_000_000)),
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  ],
];

for (const [name, data, expected] of HASHES) {
  Deno.test(`SHA-256: FIPS 180-4 example, ${name}`, async () => {
    assertEquals((await sha256(data)).toHex(), expected);
  });
}

// RFC 4231 §4.2, §4.3, §4.4, §4.7.
const MACS: readonly (readonly [string, Bytes, Bytes, string])[] = [
  [
    "4.2",
    new Uint8Array(20).fill(0x0b),
    utf8("Hi There"),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  ],
  [
    "4.3",
    utf8("Jefe"),
    utf8("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  ],
  [
    "4.4",
    new Uint8Array(20).fill(0xaa),
    new Uint8Array(50).fill(0xdd),
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
  ],
  [
    "4.7",
    new Uint8Array(131).fill(0xaa),
    utf8("Test Using Larger Than Block-Size Key - Hash Key First"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  ],
];

for (const [section, key, data, expected] of MACS) {
  Deno.test(`HMAC-SHA-256: RFC 4231 §${section}`, async () => {
    assertEquals((await hmacSha256(key, data)).toHex(), expected);
  });
}

Deno.test("HMAC-SHA-256: an empty key is refused, not taken for a key", async () => {
  await assertRejects(() => hmacSha256(new Uint8Array(0), utf8("x")));
});

// RFC 5869 appendix A, the cases with SHA-256.
const DERIVATIONS: readonly {
  readonly name: string;
  readonly secret: Bytes;
  readonly salt: Bytes;
  readonly info: Bytes;
  readonly expected: string;
}[] = [
  {
    name: "A.1",
    secret: new Uint8Array(22).fill(0x0b),
    salt: range(0x00, 0x0c),
    info: range(0xf0, 0xf9),
    expected:
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf" +
      "34007208d5b887185865",
  },
  {
    name: "A.2",
    secret: range(0x00, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    expected:
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c" +
      "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71" +
      "cc30c58179ec3e87c14c01d5c1f3434f1d87",
  },
  {
    name: "A.3",
    secret: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    expected:
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d" +
      "9d201395faa4b61a96c8",
  },
];

for (const { name, secret, salt, info, expected } of DERIVATIONS) {
  Deno.test(`HKDF-SHA-256: RFC 5869 ${name}`, async () => {
    const length = expected.length / 2;
    const output = await hkdfSha256(secret, salt, info, length);
    assertEquals(output.toHex(), expected);
  });
}

Deno.test("HKDF-SHA-256: a shorter output is the front of a longer one; secret, salt and info each matter", async () => {
  const [a, b] = [hex("aa".repeat(32)), hex("bb".repeat(32))];
  const long = await hkdfSha256(a, b, a, 96);
  assertEquals(await hkdfSha256(a, b, a, HASH_BYTES), long.slice(0, 32));
  assertNotEquals(await hkdfSha256(b, b, a, 96), long);
  assertNotEquals(await hkdfSha256(a, a, a, 96), long);
  assertNotEquals(await hkdfSha256(a, b, b, 96), long);
});

Deno.test("HKDF-SHA-256: 8,160 bytes are the most (RFC 5869 §2.3)", async () => {
  const key = hex("aa".repeat(32));
  const none = new Uint8Array(0);
  assertEquals((await hkdfSha256(key, none, none, 8_160)).length, 8_160);
  await assertRejects(() => hkdfSha256(key, none, none, 8_161));
});

// RFC 5869 has no cases with SHA-512; the platform's HKDF, which extracts first, stands in: its
// pseudorandom key is HMAC-SHA-512(salt, secret) (RFC 5869 §2.2).
Deno.test("HKDF-Expand-SHA-512: with HMAC as extract it is the platform's HKDF, at every edge of a block", async () => {
  const [secret, salt, info] = [range(1, 40), range(60, 92), range(200, 250)];
  const mac = { name: "HMAC", hash: "SHA-512" };
  const saltKey = await crypto.subtle.importKey("raw", salt, mac, false, [
    "sign",
  ]);
  const prk = new Uint8Array(
    await crypto.subtle.sign("HMAC", saltKey, secret),
  );
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, [
    "deriveBits",
  ]);
  for (const length of [1, 63, 64, 65, 76, 127, 128, 129, 16_319, 16_320]) {
    const expected = await crypto.subtle.deriveBits(
      { name: "HKDF", hash: "SHA-512", salt, info },
      key,
      length * 8,
    );
    assertEquals(
      await hkdfExpandSha512(prk, info, length),
      new Uint8Array(expected),
    );
  }
});

Deno.test("HKDF-Expand-SHA-512: 16,320 bytes are the most (RFC 5869 §2.3)", async () => {
  const [key, none] = [hex("aa".repeat(32)), new Uint8Array(0)];
  assertEquals(await hkdfExpandSha512(key, none, 0), none);
  for (const length of [16_321, -1, 1.5, NaN]) {
    await assertRejects(() => hkdfExpandSha512(key, none, length), RangeError);
  }
  await assertRejects(() => hkdfExpandSha512(none, none, 32));
});

// RFC 7518 appendix C: the same derivation, cut to 128 bits.
Deno.test("one-step KDF: the example of RFC 7518", async () => {
  const z = hex(
    "9e56d91d817135d372834283bf84269cfb316ea3da806a48f6daa7798cfe90c4",
  );
  const info = concat(
    ...[u32(7), utf8("A128GCM"), u32(5), utf8("Alice")],
    ...[u32(3), utf8("Bob"), u32(128)],
  );
  const block = await oneStepKdf(z, info, 1);
  assertEquals(
    block.slice(0, 16),
    hex("56aa8deaf8236d205c2228cd71a7101a"),
  );
  assertEquals(block.length, HASH_BYTES);
  assertNotEquals(await oneStepKdf(z, info, 2), block);
});
