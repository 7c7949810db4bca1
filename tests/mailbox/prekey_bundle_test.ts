import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { Buffer } from "node:buffer";
import { createPublicKey, verify as nodeVerify } from "node:crypto";
import { concat, MalformedError, u32, u64 } from "../../lib/protocol/mod.ts";
import type { PrekeyBundle } from "../../lib/mailbox/prekey_bundle.ts";
import {
  BUNDLE_BYTES,
  encodeOneTimePrekeys,
  ONE_TIME_PREKEY_BYTES,
  parseBundle,
  parseOneTimePrekeys,
  PrekeyError,
  signBundle,
} from "../../lib/mailbox/prekey_bundle.ts";
import { codeOf, flipped, NOW, person } from "./people.ts";
import type { Person } from "./people.ts";

const bob = await person();
const mallory = await person();
const BUNDLE = bundleOf(bob);
const SIGNED = await signBundle(bob.own, BUNDLE);

function bundleOf({ own }: Person): PrekeyBundle {
  return {
    certificateId: own.certificate.id,
    createdAt: NOW,
    signedId: 7,
    signedKey: new Uint8Array(32).fill(3),
    kemId: 0xffffffff,
    kemKey: new Uint8Array(1184).fill(4),
  };
}

Deno.test("prekey bundle: every field has its place, the signature is plain Ed25519", () => {
  assertEquals(SIGNED.length, 1329);
  assertEquals(BUNDLE_BYTES, 1329);
  const body = concat(
    new Uint8Array([1]),
    BUNDLE.certificateId,
    u64(BigInt(NOW)),
    u32(7),
    BUNDLE.signedKey,
    u32(0xffffffff),
    BUNDLE.kemKey,
  );
  assertEquals(SIGNED.slice(0, -64), body);
  const key = createPublicKey({
    key: {
      kty: "OKP",
      crv: "Ed25519",
      x: Buffer.from(bob.own.certificate.signingKey).toString("base64url"),
    },
    format: "jwk",
  });
  const label = new TextEncoder().encode("sotto prekey bundle v1\0");
  assert(nodeVerify(null, concat(label, body), key, SIGNED.slice(-64)));
});

Deno.test("prekey bundle: comes back as it was signed", async () => {
  assertEquals(await parseBundle(SIGNED, bob.own.certificate), BUNDLE);
});

Deno.test("prekey bundle: cut at every byte or too long, it is malformed", async () => {
  for (let length = 0; length < SIGNED.length; length++) {
    await assertRejects(
      () => parseBundle(SIGNED.subarray(0, length), bob.own.certificate),
      MalformedError,
    );
  }
  await assertRejects(
    () => parseBundle(concat(SIGNED, new Uint8Array(1)), bob.own.certificate),
    MalformedError,
  );
});

Deno.test("S3.4: a prekey bundle with any bit flipped is refused", async () => {
  const flips = Array.from({ length: SIGNED.length * 8 }, async (_, bit) => {
    const code = await codeOf(() =>
      parseBundle(flipped(SIGNED, bit), bob.own.certificate)
    );
    assertMatch(
      code,
      /^ERR_(PREKEY_(IDENTITY|SIGNATURE)|MALFORMED)$/,
      `${bit}`,
    );
  });
  await Promise.all(flips);
  assertEquals(flips.length, 10_632);
});

Deno.test("S3.4: another's prekeys are refused, whoever signed them", async () => {
  const malloryKeys = bundleOf(mallory);
  const cases = [
    // An honest bundle of the wrong person.
    [await signBundle(mallory.own, malloryKeys), "ERR_PREKEY_IDENTITY"],
    // Mallory's, signed by Bob: Bob's name must be in it.
    [await signBundle(bob.own, malloryKeys), "ERR_PREKEY_IDENTITY"],
    // Bob's name over Mallory's signature.
    [await signBundle(mallory.own, BUNDLE), "ERR_PREKEY_SIGNATURE"],
  ] as const;
  for (const [bytes, code] of cases) {
    const error = await assertRejects(
      () => parseBundle(bytes, bob.own.certificate),
      PrekeyError,
    );
    assertEquals(error.code, code);
  }
});

Deno.test("prekey bundle: fields out of their range are malformed even when signed", async () => {
  const lies: Partial<PrekeyBundle>[] = [{ signedId: 0 }, { kemId: 0 }];
  for (const lie of lies) {
    const bytes = await signBundle(bob.own, { ...BUNDLE, ...lie });
    await assertRejects(
      () => parseBundle(bytes, bob.own.certificate),
      MalformedError,
      "id is 0",
    );
  }
  const late = SIGNED.slice();
  late.fill(0xff, 33, 41);
  await assertRejects(
    () => parseBundle(late, bob.own.certificate),
    MalformedError,
    "2^53",
  );
  await assertRejects(
    () => parseBundle(flipped(SIGNED, 7), bob.own.certificate),
    MalformedError,
    "version 0",
  );
});

Deno.test("one-time prekeys: 36 bytes each, back as they were", () => {
  const prekeys = [1, 2, 0xffffffff].map((id) => ({
    id,
    publicKey: new Uint8Array(32).fill(id & 0xff),
  }));
  const bytes = encodeOneTimePrekeys(prekeys);
  assertEquals(bytes.length, 3 * ONE_TIME_PREKEY_BYTES);
  assertEquals(ONE_TIME_PREKEY_BYTES, 36);
  assertEquals(bytes.slice(0, 5), new Uint8Array([0, 0, 0, 1, 1]));
  assertEquals(parseOneTimePrekeys(bytes, 3), prekeys);
  assertEquals(parseOneTimePrekeys(new Uint8Array(0), 0), []);
});

Deno.test("one-time prekeys: too many, cut short, or numbered 0 are malformed", () => {
  const bytes = encodeOneTimePrekeys([
    { id: 1, publicKey: new Uint8Array(32) },
    { id: 2, publicKey: new Uint8Array(32) },
  ]);
  assertThrows(() => parseOneTimePrekeys(bytes, 1), MalformedError);
  for (let length = 1; length < bytes.length; length++) {
    if (length === 36) continue;
    assertThrows(
      () => parseOneTimePrekeys(bytes.subarray(0, length), 2),
      MalformedError,
    );
  }
  bytes.fill(0, 0, 4);
  assertThrows(() => parseOneTimePrekeys(bytes, 2), MalformedError, "id is 0");
});
