import { assertEquals, assertRejects } from "@std/assert";
import {
  NODE_CERTIFICATE_BYTES,
  parseNodeCertificate,
} from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  concat,
  MalformedError,
  sha256,
  utf8,
  verify,
} from "../../lib/protocol/mod.ts";
import { TEST_TIME, testNodeKeyring } from "../support/keyrings.ts";

Deno.test("S0.2: a node's certificate reads as it was made, its fingerprint is its SHA-256", async () => {
  const { certificate, signing, dh, rsa } = await testNodeKeyring();
  const parsed = await parseNodeCertificate(certificate.bytes);
  assertEquals(parsed, certificate);
  assertEquals(parsed.createdAt, TEST_TIME);
  assertEquals(parsed.signingKey, signing.publicKey);
  assertEquals(parsed.dhKey, dh.publicKey);
  assertEquals(parsed.rsaKey, rsa.publicKey);
  assertEquals(parsed.fingerprint, await sha256(certificate.bytes));
});

Deno.test("node certificate: the layout, byte for byte", async () => {
  const { certificate } = await testNodeKeyring();
  const { bytes } = certificate;
  assertEquals(bytes.length, NODE_CERTIFICATE_BYTES);
  const body = concat(
    new Uint8Array([1]),
    Uint8Array.fromHex("000000006b49d200"),
    certificate.signingKey,
    certificate.dhKey,
    certificate.rsaKey,
  );
  assertEquals(bytes.slice(0, -64), body);
  const signed = concat(utf8("sotto node certificate v1\0"), body);
  assertEquals(
    await verify(certificate.signingKey, bytes.slice(-64), signed),
    true,
  );
});

Deno.test("node certificate: cut at every byte, with a byte too many, with a bit of every byte flipped", async () => {
  const { bytes } = (await testNodeKeyring()).certificate;
  for (let length = 0; length < bytes.length; length++) {
    await refused(bytes.slice(0, length));
  }
  await refused(concat(bytes, new Uint8Array(1)));
  for (let place = 0; place < bytes.length; place++) {
    const flipped = bytes.slice();
    flipped[place]! ^= 1 << (place & 7);
    await refused(flipped);
  }
});

async function refused(bytes: Bytes): Promise<void> {
  await assertRejects(() => parseNodeCertificate(bytes), MalformedError);
}
