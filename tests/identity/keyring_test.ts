import { assertEquals, assertRejects } from "@std/assert";
import {
  encodeKeyring,
  generateKeyring,
  parseKeyring,
} from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  concat,
  dh,
  generateDh,
  MalformedError,
  rsaDecrypt,
  rsaEncrypt,
  sign,
  utf8,
  verify,
} from "../../lib/protocol/mod.ts";
import { freshKeyring, testKeyring } from "../support/keyrings.ts";

/** Where the Ed25519 seed begins: version, length of the certificate, certificate. */
async function secretsAt(): Promise<number> {
  return 3 + (await testKeyring("alice@zone")).certificate.bytes.length;
}

Deno.test("S3.3: a keyring survives encoding, every key still does its job", async () => {
  const keyring = await generateKeyring("alice@zone", 1_700_000_000);
  assertEquals(keyring.certificate.createdAt, 1_700_000_000);
  const bytes = await encodeKeyring(keyring);
  const parsed = await parseKeyring(bytes);
  assertEquals(parsed.certificate, keyring.certificate);

  const message = utf8("message");
  const signature = await sign(parsed.signing.privateKey, message);
  assertEquals(
    await verify(keyring.certificate.signingKey, signature, message),
    true,
  );
  const peer = await generateDh();
  assertEquals(
    await dh(parsed.dh.privateKey, peer.publicKey),
    await dh(peer.privateKey, keyring.certificate.dhKey),
  );
  const sealed = await rsaEncrypt(keyring.certificate.rsaKey, message, message);
  assertEquals(
    await rsaDecrypt(parsed.rsa.privateKey, sealed, message),
    message,
  );
  assertEquals(await encodeKeyring(parsed), bytes);
});

Deno.test("keyring: each private key must belong to the certificate", async () => {
  const at = await secretsAt();
  const mine = await encodeKeyring(await testKeyring("alice@zone"));
  const theirs = await encodeKeyring(await generateKeyring("alice@zone", 0));
  const parts = [[at, at + 32], [at + 32, at + 64], [at + 64, theirs.length]];
  for (const [from, to] of parts) {
    const mixed = concat(
      mine.slice(0, from),
      theirs.slice(from, to),
      to === theirs.length ? new Uint8Array(0) : mine.slice(to),
    );
    await assertRejects(
      () => parseKeyring(mixed),
      MalformedError,
      "does not belong",
    );
  }
});

Deno.test("keyring: another's certificate does not fit", async () => {
  const at = await secretsAt();
  const mine = await encodeKeyring(await testKeyring("alice@zone"));
  const other = await encodeKeyring(await freshKeyring("alice@zone"));
  await refused(concat(other.slice(0, at), mine.slice(at)));
});

Deno.test("keyring: cut at every byte, or with a byte too many", async () => {
  const bytes = await encodeKeyring(await testKeyring("alice@zone"));
  for (let length = 0; length < bytes.length; length++) {
    await refused(bytes.slice(0, length));
  }
  await refused(concat(bytes, new Uint8Array(1)));
});

Deno.test("keyring: a flipped bit never gives another keyring", async () => {
  const keyring = await testKeyring("alice@zone");
  const bytes = await encodeKeyring(keyring);
  const rsa = await secretsAt() + 64;
  for (let place = 0; place < rsa; place++) {
    const flipped = bytes.slice();
    // X25519 overwrites the three lowest bits of its key (RFC 7748 §5); this is a higher one.
    flipped[place]! ^= 0x10;
    await refused(flipped);
  }
  // In the RSA key n, d, p and q, by samples; what comes behind them follows from them, and the
  // platform does not look at it (RFC 8017 §A.1.2).
  for (const offset of [40, 200, 430, 460, 700, 830, 900, 1010, 1030, 1190]) {
    const flipped = bytes.slice();
    flipped[rsa + offset]! ^= 0x10;
    await refused(flipped);
  }
});

async function refused(bytes: Bytes): Promise<void> {
  await assertRejects(() => parseKeyring(bytes), MalformedError);
}
