import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import {
  dh,
  exportDh,
  generateDh,
  importDh,
  X25519_BYTES,
} from "../../../lib/protocol/crypto/x25519.ts";

const hex = (text: string): Bytes => Uint8Array.fromHex(text);

Deno.test("X25519: RFC 7748 §5.2, both vectors", async () => {
  for (
    const [scalar, u, result] of [
      [
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
      ],
      [
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
      ],
    ]
  ) {
    const { privateKey } = await importDh(hex(scalar!));
    assertEquals((await dh(privateKey, hex(u!))).toHex(), result);
  }
});

Deno.test("X25519: RFC 7748 §6.1, Alice and Bob", async () => {
  const alice = await importDh(
    hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"),
  );
  const bob = await importDh(
    hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"),
  );
  assertEquals(
    alice.publicKey.toHex(),
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  );
  assertEquals(
    bob.publicKey.toHex(),
    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
  );
  const shared =
    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
  assertEquals((await dh(alice.privateKey, bob.publicKey)).toHex(), shared);
  assertEquals((await dh(bob.privateKey, alice.publicKey)).toHex(), shared);
});

// The points of low order and their non-canonical forms (Bernstein, "Validation of Curve25519 keys").
// With any of them the shared secret would be zero, whatever the private key.
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  // The same with the top bit set, which RFC 7748 §5 tells everybody to ignore.
  "0000000000000000000000000000000000000000000000000000000000000080",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

Deno.test("X25519: every public key of low order is refused (RFC 7748 §6.1)", async () => {
  const { privateKey } = await generateDh();
  for (const point of LOW_ORDER) {
    await assertRejects(
      () => dh(privateKey, hex(point)),
      CryptoError,
      "Cannot agree on a key by X25519",
    );
  }
});

Deno.test("X25519: keys of other lengths are refused", async () => {
  const { privateKey } = await generateDh();
  for (const length of [0, 1, 31, 33, 64]) {
    const key = new Uint8Array(length).fill(9);
    await assertRejects(() => dh(privateKey, key), CryptoError);
    await assertRejects(() => importDh(key), CryptoError);
  }
});

Deno.test("X25519: two sides agree, a third does not, and a pair survives export and import", async () => {
  const [a, b, c] = [
    await generateDh(true),
    await generateDh(),
    await generateDh(),
  ];
  const shared = await dh(a.privateKey, b.publicKey);
  assertEquals(shared.length, X25519_BYTES);
  assertEquals(await dh(b.privateKey, a.publicKey), shared);
  assertNotEquals(await dh(c.privateKey, a.publicKey), shared);
  const raw = await exportDh(a);
  assertEquals(raw.length, X25519_BYTES);
  const again = await importDh(raw);
  assertEquals(again.publicKey, a.publicKey);
  assertEquals(await dh(again.privateKey, b.publicKey), shared);
});

Deno.test("X25519: a pair that was not made extractable does not leave", async () => {
  await assertRejects(async () => exportDh(await generateDh()), CryptoError);
  const raw = await exportDh(await generateDh(true));
  await assertRejects(async () => exportDh(await importDh(raw)), CryptoError);
  assertEquals(await exportDh(await importDh(raw, true)), raw);
});
