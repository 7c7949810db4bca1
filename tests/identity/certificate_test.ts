import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  parseCertificate,
  parseNodeCertificate,
  signCertificate,
} from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  concat,
  MalformedError,
  sha256,
  sign,
  utf8,
  verify,
} from "../../lib/protocol/mod.ts";
import {
  freshKeyring,
  TEST_TIME,
  testKeyPairs,
  testKeyring,
  testNodeKeyring,
} from "../support/keyrings.ts";

Deno.test("S1.1: a certificate handed over reads as it was made", async () => {
  const { certificate, signing, dh, rsa } = await testKeyring("alice@zone");
  const parsed = await parseCertificate(certificate.bytes);
  assertEquals(parsed, certificate);
  assertEquals(parsed.address, "alice@zone");
  assertEquals(parsed.createdAt, TEST_TIME);
  assertEquals(parsed.signingKey, signing.publicKey);
  assertEquals(parsed.dhKey, dh.publicKey);
  assertEquals(parsed.rsaKey, rsa.publicKey);
});

Deno.test("S2.4: the certificate's id is the SHA-256 of its bytes", async () => {
  const { certificate } = await testKeyring("alice@zone");
  assertEquals(certificate.id, await sha256(certificate.bytes));
  const other = (await freshKeyring("alice@zone")).certificate;
  assertNotEquals(certificate.id, other.id);
});

Deno.test("certificate: the layout, byte for byte", async () => {
  const { certificate } = await testKeyring("alice@zone");
  const { bytes } = certificate;
  const body = concat(
    new Uint8Array([1, 10]),
    utf8("alice@zone"),
    Uint8Array.fromHex("000000006b49d200"),
    certificate.signingKey,
    certificate.dhKey,
    certificate.rsaKey,
  );
  assertEquals(bytes.slice(0, -64), body);
  const signed = concat(utf8("sotto account certificate v1\0"), body);
  assertEquals(
    await verify(certificate.signingKey, bytes.slice(-64), signed),
    true,
  );
});

Deno.test("certificate: the longest address fits, a longer one is refused", async () => {
  const pairs = await testKeyPairs();
  const address = `${"a".repeat(32)}@${"z".repeat(64)}`;
  const { bytes } = await signCertificate(address, 0, pairs);
  assertEquals(bytes.length, 657);
  assertEquals((await parseCertificate(bytes)).address, address);
  await assertRejects(
    () => signCertificate(address + "z", 0, pairs),
    MalformedError,
  );
});

Deno.test("certificate: times that are none are refused on both sides", async () => {
  const pairs = await testKeyPairs();
  for (const time of [-1, 0.5, NaN, Number.MAX_SAFE_INTEGER + 1]) {
    await assertRejects(() => signCertificate("a@z", time, pairs), RangeError);
  }
  const latest = Number.MAX_SAFE_INTEGER;
  const { bytes } = await signCertificate("a@z", latest, pairs);
  assertEquals((await parseCertificate(bytes)).createdAt, latest);
  // The same, one second later, signed all the same.
  const later = bytes.slice(0, -64);
  later.set(Uint8Array.fromHex("0020000000000000"), 5);
  const signature = await sign(
    pairs.signing.privateKey,
    concat(utf8("sotto account certificate v1\0"), later),
  );
  await refused(concat(later, signature));
});

Deno.test("certificate: an address that is not canonical is refused though signed", async () => {
  const pairs = await testKeyPairs();
  const { bytes } = await signCertificate("alice@z", 0, pairs);
  for (const address of ["Alice@z", "alice.z", "@alicez", "ali\xff@z"]) {
    const body = bytes.slice(0, -64);
    body.set(Uint8Array.from(address, (c) => c.charCodeAt(0)), 2);
    const signature = await sign(
      pairs.signing.privateKey,
      concat(utf8("sotto account certificate v1\0"), body),
    );
    await refused(concat(body, signature));
  }
});

Deno.test("certificate: cut at every byte, with a byte too many, with every bit flipped", async () => {
  const { bytes } = (await testKeyring("alice@zone")).certificate;
  for (let length = 0; length < bytes.length; length++) {
    await refused(bytes.slice(0, length));
  }
  await refused(concat(bytes, new Uint8Array(1)));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await refused(flipped);
  }
});

Deno.test("certificate: a node's is not valid as an account's, nor the reverse", async () => {
  const account = (await testKeyring("alice@zone")).certificate;
  const node = (await testNodeKeyring()).certificate;
  await refused(node.bytes);
  await assertRejects(
    () => parseNodeCertificate(account.bytes),
    MalformedError,
  );
  // Nor is a node's body with an account's name put in, signed as a node's.
  const pairs = await testKeyPairs();
  const { bytes } = await signCertificate("alice@zone", 0, pairs);
  const body = bytes.slice(0, -64);
  const signature = await sign(
    pairs.signing.privateKey,
    concat(utf8("sotto node certificate v1\0"), body),
  );
  await refused(concat(body, signature));
});

Deno.test("certificate: random bytes give the one error", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 700 }), async (bytes) => {
      await refused(new Uint8Array(bytes));
    }),
  );
});

async function refused(bytes: Bytes): Promise<void> {
  await assertRejects(() => parseCertificate(bytes), MalformedError);
}
