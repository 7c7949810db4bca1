import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  concat,
  MalformedError,
  sha256,
  utf8,
} from "../../lib/protocol/mod.ts";
import type {
  OneTimePrekey,
  PrekeyBundle,
} from "../../lib/mailbox/prekey_bundle.ts";
import { parseBundle, PrekeyError } from "../../lib/mailbox/prekey_bundle.ts";
import {
  forgetOneTimePrekey,
  publishBundle,
} from "../../lib/mailbox/prekey_secrets.ts";
import {
  INITIAL_BLOCK_BYTES,
  initiate,
  parseInitialBlock,
  respond,
} from "../../lib/mailbox/pqxdh.ts";
import { codeOf, flipped, LOW_ORDER_POINTS, person } from "./people.ts";

const [alice, bob, mallory] = await Promise.all([person(), person(), person()]);
const BUNDLE = await parseBundle(
  await publishBundle(bob.own, bob.prekeys),
  bob.own.certificate,
);
const ONE_TIME: OneTimePrekey = {
  id: bob.prekeys.oneTime[0]!.id,
  publicKey: bob.prekeys.oneTime[0]!.dhPublic,
};

function ask(
  bundle: PrekeyBundle = BUNDLE,
  oneTime: OneTimePrekey | null = ONE_TIME,
): ReturnType<typeof initiate> {
  return initiate(alice.own, bob.own.certificate, bundle, oneTime);
}

function answer(
  block: Bytes,
  prekeys = bob.prekeys,
): ReturnType<typeof respond> {
  return respond(bob.own, alice.own.certificate, prekeys, block);
}

for (const oneTime of [ONE_TIME, null]) {
  const name = oneTime === null ? "without" : "with";
  Deno.test(`S3.4: PQXDH ${name} a one-time prekey gives both the same, every time another`, async () => {
    const asked = await ask(BUNDLE, oneTime);
    const answered = await answer(asked.block);
    assertEquals(answered.secret, asked.secret);
    assertEquals(answered.associated, asked.associated);
    assertEquals(answered.sessionId, asked.sessionId);
    assertEquals(answered.oneTimeId, oneTime?.id ?? 0);
    assertEquals(answered.signed, bob.prekeys.signed[0]!);
    assertEquals(
      asked.associated,
      concat(alice.own.certificate.id, bob.own.certificate.id),
    );
    assertEquals(
      asked.sessionId,
      (await sha256(
        concat(utf8("sotto session id v1\0"), asked.associated, asked.block),
      )).slice(0, 8),
    );
    const again = await ask(BUNDLE, oneTime);
    assertNotEquals(again.secret, asked.secret);
    assertNotEquals(again.sessionId, asked.sessionId);
  });
}

Deno.test("PQXDH: the initial block has every field in its place", async () => {
  const { block } = await ask();
  assertEquals(block.length, 1164);
  assertEquals(INITIAL_BLOCK_BYTES, 1164);
  const parsed = parseInitialBlock(block);
  assertEquals(parsed.initiator, alice.own.certificate.id);
  assertEquals(parsed.ephemeral, block.slice(32, 64));
  const view = new DataView(block.buffer);
  assertEquals(view.getUint32(64), BUNDLE.signedId);
  assertEquals(view.getUint32(68), BUNDLE.kemId);
  assertEquals(view.getUint32(72), ONE_TIME.id);
  assertEquals(parsed.signedId, BUNDLE.signedId);
  assertEquals(parsed.kemId, BUNDLE.kemId);
  assertEquals(parsed.oneTimeId, ONE_TIME.id);
  assertEquals(parsed.kemCiphertext, block.slice(76));
  for (let length = 0; length < block.length; length++) {
    assertThrows(
      () => parseInitialBlock(block.subarray(0, length)),
      MalformedError,
    );
  }
  assertThrows(
    () => parseInitialBlock(concat(block, new Uint8Array(1))),
    MalformedError,
  );
});

Deno.test("S3.4: PQXDH: a block with any byte altered gives no common session", async () => {
  const { block, secret, sessionId } = await ask();
  let other = 0;
  await Promise.all(
    Array.from({ length: block.length }, async (_, at) => {
      try {
        const answered = await answer(flipped(block, at * 8 + at % 8));
        assertNotEquals(answered.sessionId, sessionId, `byte ${at}`);
        // Names and numbers do not enter the secret, keys and ciphertext do.
        if (at >= 32 && at < 64) {
          assertNotEquals(answered.secret, secret, `byte ${at}`);
        }
        if (at >= 76) assertNotEquals(answered.secret, secret, `byte ${at}`);
        other++;
      } catch (error) {
        assert(error instanceof PrekeyError, `byte ${at}: ${error}`);
        assertEquals(error.code, "ERR_PREKEY_UNKNOWN");
        assert(at >= 64 && at < 76, `byte ${at}`);
      }
    }),
  );
  assertEquals(other, block.length - 12);
});

Deno.test("S3.4: PQXDH: a prekey that is not held any more opens nothing", async () => {
  const { block } = await ask();
  const used = forgetOneTimePrekey(bob.prekeys, ONE_TIME.id);
  assertEquals(await codeOf(() => answer(block, used)), "ERR_PREKEY_UNKNOWN");
  // The X25519 prekey of one making with the ML-KEM prekey of another was never published.
  const signed = [{ ...bob.prekeys.signed[0]!, kemId: 99 }];
  assertEquals(
    await codeOf(() => answer(block, { ...bob.prekeys, signed })),
    "ERR_PREKEY_UNKNOWN",
  );
});

Deno.test("S3.4: PQXDH: points of low order are refused wherever they come from", async () => {
  assertEquals(LOW_ORDER_POINTS.length, 7);
  for (const point of LOW_ORDER_POINTS) {
    const attempts = [
      () => ask({ ...BUNDLE, signedKey: point }),
      () => ask(BUNDLE, { id: ONE_TIME.id, publicKey: point }),
      () =>
        initiate(
          alice.own,
          { ...bob.own.certificate, dhKey: point },
          BUNDLE,
          null,
        ),
      async () => {
        const { block } = await ask();
        block.set(point, 32);
        return await answer(block);
      },
      async () => {
        const { block } = await ask();
        const peer = { ...alice.own.certificate, dhKey: point };
        return await respond(bob.own, peer, bob.prekeys, block);
      },
    ];
    for (const attempt of attempts) {
      const error = await assertRejects(attempt, PrekeyError);
      assertEquals(error.code, "ERR_PREKEY_UNUSABLE");
      assert(error.cause instanceof Error);
    }
  }
});

Deno.test("S3.4: PQXDH: an encapsulation key that is none is refused", async () => {
  // FIPS 203 §7.2: every coefficient must be below q = 3329; 0xfff is not.
  const kemKey = BUNDLE.kemKey.slice();
  kemKey.fill(0xff, 0, 3);
  for (const bad of [kemKey, new Uint8Array(1183), new Uint8Array(1185)]) {
    const error = await assertRejects(
      () => ask({ ...BUNDLE, kemKey: bad }),
      PrekeyError,
    );
    assertEquals(error.code, "ERR_PREKEY_UNUSABLE");
  }
});

Deno.test("S3.4: PQXDH: with a swapped certificate on either side the secrets differ", async () => {
  const asked = await ask();
  const asMallory = await respond(
    bob.own,
    mallory.own.certificate,
    bob.prekeys,
    asked.block,
  );
  assertNotEquals(asMallory.secret, asked.secret);
  assertNotEquals(asMallory.sessionId, asked.sessionId);
  // Mallory republishes Bob's prekeys as hers: Bob gets another secret than Alice.
  const toMallory = await initiate(
    alice.own,
    mallory.own.certificate,
    BUNDLE,
    ONE_TIME,
  );
  const atBob = await answer(toMallory.block);
  assertNotEquals(atBob.secret, toMallory.secret);
});
