import { assertEquals } from "@std/assert";
import { createPrivateKey, createPublicKey } from "node:crypto";
import fc from "fast-check";
import {
  KeyWheel,
  TURN_LIMIT,
} from "../../../lib/mix/conversation/key_wheel.ts";
import {
  callId,
  callSecret,
  dialToken,
  pairSecret,
} from "../../../lib/mix/conversation/pair_secret.ts";
import {
  Direction,
  dropOf,
  openInRound,
  sealBase,
  sealInRound,
} from "../../../lib/mix/conversation/round_seal.ts";
import { exportDh, randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { testKeyring } from "../../support/keyrings.ts";
import { flipped } from "../../mailbox/people.ts";
import {
  naiveBase,
  naiveCall,
  naiveDrop,
  naiveHmac,
  naiveOpen,
  naivePair,
  naiveRoundKey,
  naiveToken,
  text,
} from "./naive_keys.ts";

const DIALED = 1_800_000_020_000;
const MINUTE0 = 30_000_000;
const SECRET = new Uint8Array(32).map((_, i) => i);

Deno.test("S3.8: pair secret, token, call and its id are those of the specification", async () => {
  const [a, b] = await Promise.all([
    testKeyring("alice@example.org"),
    testKeyring("bob@example.org"),
  ]);
  const pkcs8 = Uint8Array.fromHex(
    "302e020100300506032b656e04220420" + (await exportDh(a.dh)).toHex(),
  );
  const spki = Uint8Array.fromHex(
    "302a300506032b656e032100" + b.certificate.dhKey.toHex(),
  );
  const expected = naivePair(
    createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" } as never),
    createPublicKey({ key: spki, format: "der", type: "spki" } as never),
    [a.certificate.id, b.certificate.id],
  );
  const pair = await pairSecret(a, b.certificate);
  assertEquals(pair, expected);
  assertEquals(await pairSecret(b, a.certificate), expected);
  const token = await dialToken(pair, DIALED, a.certificate.id);
  assertEquals(token, naiveToken(expected, DIALED, a.certificate.id));
  const call = await callSecret(pair, token);
  assertEquals(call, naiveCall(expected, token));
  assertEquals(await callId(call), naiveHmac(call, text("id")).slice(0, 16));
});

Deno.test("S3.8: the wheel, turned by any steps forward, is where the reference is", async () => {
  const steps = fc.array(
    fc.oneof(fc.nat(59_999), fc.nat(600_000), fc.nat(20_000_000)),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const wheel = new KeyWheel(SECRET, DIALED);
      let start = DIALED;
      for (const step of steps) {
        start += step;
        const expected = naiveRoundKey(SECRET, MINUTE0, start);
        const key = await wheel.roundKey(start);
        assertEquals(key, expected);
        assertEquals(await dropOf(key!), naiveDrop(expected));
        assertEquals(await sealBase(key!), naiveBase(expected));
      }
    }),
    { numRuns: 20, endOnFailure: true },
  );
});

Deno.test("S3.8: the wheel does not turn back, nor too far; passed minutes are erased", async () => {
  const wheel = new KeyWheel(SECRET, DIALED);
  assertEquals(wheel.memoryForTestingOnly(), { minute: MINUTE0, key: SECRET });
  const edges = [
    [DIALED - 20_000, true], // the first moment of the minute
    [DIALED - 20_001, false],
    [DIALED + 39_999, true], // its last
    [DIALED + 40_000, true],
    [DIALED + 39_999, false],
    [DIALED + 60_000 * (TURN_LIMIT + 2), false],
  ] as const;
  for (const [start, gives] of edges) {
    const key = await wheel.roundKey(start);
    assertEquals(key !== undefined, gives, `${start}`);
  }
  const { minute, key } = wheel.memoryForTestingOnly();
  assertEquals(minute, MINUTE0 + 1);
  assertEquals(key, naiveHmac(SECRET, text("turn")));
  // A copy was taken: the caller's is the caller's to forget.
  assertEquals(SECRET[31], 31);
  wheel.erase();
  assertEquals(wheel.memoryForTestingOnly().key, new Uint8Array(32));
});

Deno.test("S3.4: what is sealed in a round opens in that round, that direction and that generation alone", async () => {
  const [base, secret] = [randomBytes(32), randomBytes(32)];
  const message = randomBytes(480);
  const sealed = await sealInRound(base, secret, Direction.CALLER, message);
  assertEquals(sealed.length, 496);
  const open = (
    over: Partial<{ base: Bytes; secret: Bytes; sealed: Bytes }>,
    direction: Direction = Direction.CALLER,
  ): Promise<Bytes | undefined> => {
    const all = { base, secret, sealed, ...over };
    return openInRound(all.base, all.secret, direction, all.sealed);
  };
  assertEquals(await open({}), message);
  assertEquals(naiveOpen(base, secret, 0, sealed), message);
  assertEquals(naiveOpen(base, secret, 1, sealed), undefined);
  assertEquals(await open({}, Direction.CALLEE), undefined);
  assertEquals(await open({ base: flipped(base, 7) }), undefined);
  assertEquals(await open({ secret: flipped(secret, 255) }), undefined);
  for (let bit = 0; bit < 496 * 8; bit += 61) {
    assertEquals(await open({ sealed: flipped(sealed, bit) }), undefined);
  }
  for (const length of [0, 15, 16, 495]) {
    assertEquals(await open({ sealed: sealed.slice(0, length) }), undefined);
  }
});
