import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  encodeKeyring,
  formatFingerprint,
  openKeyFile,
  parseCertificate,
  parseKeyring,
  parseNodeCertificate,
  safetyNumber,
  sealKeyFile,
  signCertificate,
  signNodeCertificate,
  stretch,
  unwrapKeyring,
  wrapKeyring,
  WrongPassphraseError,
} from "../../lib/identity/mod.ts";
import type { KeyPairs } from "../../lib/identity/mod.ts";
import { WORDS } from "../../lib/identity/words.ts";
import {
  exportDh,
  exportRsa,
  exportSigning,
  MalformedError,
  seal,
} from "../../lib/protocol/mod.ts";
import { freshKeyring, testKeyPairs } from "../support/keyrings.ts";
import * as naive from "./naive_identity.ts";
import { random, seal as sealNaive } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

const name = fc.tuple(
  fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,31}$/),
  fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,63}$/),
).map(([first, zone]) => `${first}@${zone}`);
const time = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const cost = fc.record({
  memory: fc.integer({ min: 19_456, max: 20_000 }),
  passes: fc.constant(2),
});

async function rawKeys(pairs: KeyPairs): Promise<naive.NaiveKeys> {
  const { signing, dh, rsa } = pairs;
  return {
    signing: { secret: await exportSigning(signing), open: signing.publicKey },
    agreement: { secret: await exportDh(dh), open: dh.publicKey },
    rsa: { secret: await exportRsa(rsa), open: rsa.publicKey },
  };
}

Deno.test("S3.3: certificates of the text and ours are the same bytes", async () => {
  const pairs = await testKeyPairs();
  const keys = await rawKeys(pairs);
  await fc.assert(
    fc.asyncProperty(name, time, async (address, created) => {
      const ours = await signCertificate(address, created, pairs);
      assertEquals(naive.certificate(keys, created, address), ours.bytes);
      const read = naive.readCertificate("account", ours.bytes);
      assertEquals(read, {
        address,
        created,
        signingKey: ours.signingKey,
        agreementKey: ours.dhKey,
        rsaKey: ours.rsaKey,
        id: ours.id,
      });
      const node = await signNodeCertificate(created, pairs);
      assertEquals(naive.certificate(keys, created), node.bytes);
      assertEquals(
        naive.readCertificate("node", node.bytes).id,
        node.fingerprint,
      );
    }),
    { numRuns: 30 },
  );
});

Deno.test("S3.3: a flipped bit is refused by the reader of the text and by ours", async () => {
  const { bytes } = (await freshKeyring("alice@test")).certificate;
  const node = naive.certificate(await rawKeys(await testKeyPairs()), 7);
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: bytes.length * 8 - 1 }),
      fc.nat({ max: node.length * 8 - 1 }),
      async (there, here) => {
        for (
          const [kind, whole, bit] of [
            ["account", bytes, there],
            ["node", node, here],
          ] as const
        ) {
          const altered = whole.slice();
          altered[bit >> 3]! ^= 1 << (bit & 7);
          assertThrows(() => naive.readCertificate(kind, altered));
          await assertRejects(
            () =>
              kind === "node"
                ? parseNodeCertificate(altered)
                : parseCertificate(altered),
            MalformedError,
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("S3.3: keyrings of the text and ours are the same bytes", async () => {
  const ours = await freshKeyring("alice@test");
  const keys = await rawKeys(ours);
  const bytes = await encodeKeyring(ours);
  assertEquals(naive.keyring(ours.certificate.bytes, keys), bytes);
  assertEquals(naive.readKeyring(bytes), {
    certificate: ours.certificate.bytes,
    seed: keys.signing.secret,
    pkcs8: keys.rsa.secret,
  });
  const read = await parseKeyring(bytes);
  assertEquals(read.certificate, ours.certificate);
});

Deno.test("S3.2 S3.3: passphrases are stretched and keyrings wrapped in the same way", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.string({ minLength: 1, unit: "grapheme" }),
      name,
      cost,
      async (passphrase, address, { memory, passes }) => {
        const [salt, id, secret] = [random(16), random(32), random(100)];
        const settings = { salt, memory, passes };
        const binding = {
          address,
          certificateId: id,
          salt,
          cost: { memoryKiB: memory, passes },
        };
        const ours = await stretch(passphrase, salt, binding.cost);
        const theirs = await naive.stretch(passphrase, settings);
        assertEquals(theirs.auth, ours.auth);
        const nonce = new Uint8Array(12);
        assertEquals(
          sealNaive(theirs.wrap, nonce, secret, nonce),
          await seal(ours.wrapKey, nonce, secret, nonce),
        );
        const here = await wrapKeyring(secret, ours.wrapKey, binding);
        assertEquals(
          naive.unwrapKeyring(here, theirs.wrap, address, id, settings),
          secret,
        );
        const there = naive.wrapKeyring(
          secret,
          theirs.wrap,
          address,
          id,
          settings,
        );
        assertEquals(await unwrapKeyring(there, ours.wrapKey, binding), secret);
        await assertRejects(
          () =>
            unwrapKeyring(there, ours.wrapKey, {
              ...binding,
              certificateId: random(32),
            }),
          WrongPassphraseError,
        );
      },
    ),
    { numRuns: 8 },
  );
});

Deno.test("S1.1: key files of the text and ours open each other", async () => {
  const content = random(200);
  const secret = random(32);
  for (
    const [opener, protection] of [
      [{ secret }, { secret }],
      [{ passphrase: "Ünlösbar" }, {
        passphrase: "Ünlösbar",
        cost: { memoryKiB: 19_456, passes: 3 },
      }],
    ] as const
  ) {
    const ours = await sealKeyFile("account", content, protection);
    assertEquals(await naive.openKeyFile(ours, opener), content);
    const theirs = await naive.sealKeyFile("account", content, opener);
    assertEquals(await openKeyFile(theirs, "account", protection), content);
    const altered = theirs.replace('"kind":"account"', '"kind":"node"');
    await assertRejects(
      () => openKeyFile(altered, "node", protection),
      WrongPassphraseError,
    );
    await assertRejects(() => naive.openKeyFile(altered, opener));
  }
});

Deno.test("S0.2: fingerprints of the text and ours are the same words", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (bytes) => {
        const digest: Octets = new Uint8Array(bytes);
        assertEquals(naive.fingerprint(digest), formatFingerprint(digest));
      },
    ),
  );
});

Deno.test("S3.1: safety numbers of the text and ours are the same, from both sides", async () => {
  for (let run = 0; run < 4; run++) {
    const [alice, bob] = await Promise.all([
      freshKeyring("alice@test"),
      freshKeyring("bob@test"),
    ]);
    const ours = await safetyNumber(alice.certificate, bob.certificate);
    const [one, other] = [alice.certificate.bytes, bob.certificate.bytes];
    for (
      const { digits, words } of [
        await naive.safetyNumber(one, other),
        await naive.safetyNumber(other, one),
      ]
    ) {
      assertEquals(digits, ours.groups.join(""));
      assertEquals(words.map((i) => WORDS[i]!), [...ours.words]);
    }
  }
});
