import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  encodeMessage,
  parseMessage,
} from "../../../lib/directory/agreement/message.ts";
import type { AgreementMessage } from "../../../lib/directory/agreement/message.ts";
import {
  encodeStanding,
  parseStanding,
} from "../../../lib/directory/agreement/standing.ts";
import { bodyOf, tally } from "../../../lib/directory/agreement/tally.ts";
import { Turns } from "../../../lib/directory/agreement/turns.ts";
import {
  checkVote,
  readVote,
  signVote,
} from "../../../lib/directory/agreement/vote.ts";
import type {
  Vote,
  VoteFields,
} from "../../../lib/directory/agreement/vote.ts";
import { Witness } from "../../../lib/directory/agreement/witness.ts";
import { compareBytes } from "../../../lib/directory/byte_order.ts";
import { signConsensus } from "../../../lib/directory/consensus.ts";
import {
  descriptorsOf,
  makeBody,
} from "../../../lib/directory/consensus_body.ts";
import { NO_CONSENSUS } from "../../../lib/directory/consensus_header.ts";
import type { RelayDescriptor } from "../../../lib/directory/descriptor.ts";
import {
  ExitPolicy,
  FLAG_EXIT,
  FLAG_GUARD,
  FLAG_MIDDLE_ONLY,
  FLAG_MIX,
  ROLE_MIDDLE_ONLY,
  ROLE_MIX,
} from "../../../lib/directory/mod.ts";
import {
  MalformedError,
  randomBytes,
  Reader,
} from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { NOW, relay, relays, times } from "../relays.ts";

const KEYRINGS = await Promise.all([1, 2, 3, 4].map(() => freshNodeKeyring()));

function vote(i: number, some: Partial<VoteFields> = {}): Promise<Vote> {
  return signVote({
    height: 7,
    previous: new Uint8Array(32).fill(7),
    ballot: 12,
    time: NOW,
    interval: 300,
    lifetime: 10_800,
    acceptedBallot: 0,
    acceptedHash: NO_CONSENSUS,
    entries: [],
    ...some,
  }, KEYRINGS[i]!);
}

function entries(
  ...descriptors: readonly (RelayDescriptor | [RelayDescriptor, boolean])[]
): VoteFields["entries"] {
  return descriptors.map((each) => {
    const [d, guard] = Array.isArray(each) ? each : [each, true] as const;
    return {
      fingerprint: d.identity.fingerprint,
      publishedAt: d.publishedAt,
      digest: d.digest,
      guard,
    };
  }).toSorted((a, b) => compareBytes(a.fingerprint, b.fingerprint));
}

Deno.test("a vote reads back the same, and only as its voter signed it", async () => {
  const made = await vote(0, {
    entries: entries(await relay(), await relay()),
  });
  const reader = new Reader(made.bytes);
  assertEquals(await checkVote(readVote(reader)), made);
  reader.end();
  for (let at = 0; at < made.bytes.length; at++) {
    const altered = made.bytes.slice();
    altered[at]! ^= 1 << at % 8;
    await assertRejects(
      async () => {
        const altering = new Reader(altered);
        await checkVote(readVote(altering));
        altering.end();
      },
      MalformedError,
    );
  }
});

Deno.test("every message reads back the same, is refused at every other length, and any bytes are one or none", async () => {
  const one = await vote(0, { entries: entries(await relay()) });
  const two = await vote(1);
  const hash = randomBytes(32);
  const justified = { body: randomBytes(40), votes: [one, two] };
  const messages: readonly AgreementMessage[] = [
    { kind: "collect", height: 1, previous: hash, ballot: 3 },
    { kind: "vote", vote: two, descriptors: [], accepted: undefined },
    {
      kind: "vote",
      vote: one,
      descriptors: [randomBytes(20)],
      accepted: justified,
    },
    {
      kind: "propose",
      height: 1,
      ballot: 2,
      votes: [one],
      proposal: justified,
    },
    { kind: "announce", height: 2, ballot: 5, hash },
    {
      kind: "signature",
      height: 2,
      hash,
      certificate: randomBytes(559),
      signature: randomBytes(64),
    },
    { kind: "standing", height: 9 },
  ];
  for (const message of messages) {
    const bytes = encodeMessage(message);
    assertEquals(encodeMessage(parseMessage(bytes)), bytes);
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(
        () => parseMessage(bytes.subarray(0, length)),
        MalformedError,
      );
    }
    assertThrows(
      () => parseMessage(new Uint8Array([...bytes, 0])),
      MalformedError,
    );
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
    if (bytes.length > 0) bytes[0]! %= 8;
    try {
      const parsed = parseMessage(bytes);
      assertEquals(encodeMessage(parsed), new Uint8Array(bytes));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
    }
  }));
});

Deno.test("what a controller has bound itself to reads back the same, and no cut of it does", async () => {
  const body = await makeBody(times(), await relays(2));
  const votes = [await vote(0), await vote(1)];
  for (
    const standing of [
      { height: 3, promised: 9, accepted: undefined, signed: false },
      {
        height: 1,
        promised: 9,
        accepted: { ballot: 8, body, votes },
        signed: true,
      },
    ]
  ) {
    const bytes = encodeStanding(standing);
    const read = await parseStanding(bytes, descriptorsOf(body));
    assertEquals(encodeStanding(read), bytes);
    assertEquals([read.height, read.promised, read.signed], [
      standing.height,
      standing.promised,
      standing.signed,
    ]);
    for (let length = 0; length < bytes.length; length += 7) {
      await assertRejects(
        () => parseStanding(bytes.subarray(0, length)),
        MalformedError,
      );
    }
  }
});

Deno.test("a tally takes what more than half list, the newest of it, and medians", async () => {
  const [old, other] = [await relay(), await relay()];
  const young = await relay({ publishedAt: NOW + 9 }, KEYRINGS[3]);
  const older = await relay({ publishedAt: NOW - 9 }, KEYRINGS[3]);
  const votes = [
    await vote(0, { entries: entries(old, older), time: NOW + 100 }),
    await vote(1, { entries: entries([old, false], young), time: NOW - 50 }),
    await vote(2, {
      entries: entries([old, false], other),
      time: NOW,
      interval: 60,
    }),
  ];
  const result = tally(votes, NOW - 1_000);
  assertEquals(result.times, {
    height: 7,
    previous: new Uint8Array(32).fill(7),
    validAfter: NOW,
    freshUntil: NOW + 300,
    validUntil: NOW + 10_800,
  });
  assertEquals(
    new Set(result.entries.map((e) => e.digest.toHex())),
    new Set([old, young].map((d) => d.digest.toHex())),
  );
  assertEquals(
    result.entries.find((e) => compareBytes(e.digest, old.digest) === 0)!.guard,
    false,
  );
  assertEquals(tally(votes.toReversed(), NOW - 1_000), result);
  assertEquals(tally(votes, NOW + 5).times.validAfter, NOW + 6);
  // Two of four are not more than half.
  const four = [...votes, await vote(3, { entries: entries(other) })];
  assertEquals(
    tally(four, -1).entries.some((e) =>
      compareBytes(e.digest, other.digest) === 0
    ),
    false,
  );
});

Deno.test("flags follow from what a relay says and how long it is known", async () => {
  const all = {
    guard: await relay({ policy: ExitPolicy.REJECT_ALL }),
    exit: await relay(),
    middle: await relay({ roles: ROLE_MIDDLE_ONLY }),
    mix: await relay({ roles: ROLE_MIX, policy: ExitPolicy.REJECT_ALL }),
  };
  const votes = [
    await vote(0, {
      entries: entries(all.guard, [all.exit, false], all.middle, [
        all.mix,
        false,
      ]),
    }),
  ];
  const known = new Map(
    Object.values(all).map((d) => [d.digest.toHex(), d]),
  );
  const body = await bodyOf(tally(votes, -1), known);
  const flags = (d: RelayDescriptor) =>
    body!.relays.find(({ descriptor }) => descriptor === d)!.flags;
  assertEquals(flags(all.guard), FLAG_GUARD);
  assertEquals(flags(all.exit), FLAG_EXIT);
  assertEquals(flags(all.middle), FLAG_MIDDLE_ONLY);
  assertEquals(flags(all.mix), FLAG_MIX);
  known.delete(all.mix.digest.toHex());
  assertEquals(await bodyOf(tally(votes, -1), known), undefined);
});

Deno.test("every turn has one leader, whose ballot is heard in that turn and those beside it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 16 }),
      fc.integer({ min: 1, max: 3_600 }),
      fc.integer({ min: 1e11, max: 1e13 }),
      fc.nat(1_000),
      (count, interval, now, height) => {
        const turns = new Turns(count, interval);
        assert(turns.length >= 500 && turns.length <= 15_000);
        const leader = turns.leader(height, now);
        assertEquals(turns.leader(height + 1, now), (leader + 1) % count);
        const ballot = turns.ballot(height, now, 0);
        assert(turns.ballot(height, now + turns.length, 0) > ballot);
        for (
          const [late, owner] of [
            [0, leader],
            [turns.length, leader],
            [-turns.length, leader],
            [2 * turns.length, undefined],
            [-2 * turns.length, undefined],
          ] as const
        ) {
          assertEquals(turns.owner(ballot, height, now + late), owner);
        }
        for (
          let other = ballot - leader;
          other < ballot - leader + count;
          other++
        ) {
          if (other === ballot) continue;
          assertEquals(turns.owner(other, height, now), undefined);
        }
        assertEquals(turns.owner(0, height, now), undefined);
      },
    ),
  );
  const alone = new Turns(1, 300);
  assertEquals(alone.ballot(1, 30_000, 0), 3);
  assertEquals(alone.ballot(1, 30_000, 99), 100);
  assertEquals(alone.owner(100, 1, 30_000), 0);
});

Deno.test("a witness counts a controller once, and notices when it contradicts itself", async () => {
  const witness = new Witness(2);
  const [a, b] = KEYRINGS.map((k) => k.certificate.fingerprint);
  const [x, y] = [randomBytes(32), randomBytes(32)];
  assert(witness.announce(a!, 1, x));
  assert(witness.announce(a!, 1, x));
  assertEquals(witness.isChosen(x), false);
  assertEquals(witness.announce(a!, 1, y), false);
  assert(witness.announce(b!, 2, x));
  assertEquals(witness.isChosen(x), false, "in two ballots is not in one");
  assert(witness.announce(b!, 1, x));
  assert(witness.isChosen(x));
  assertEquals(witness.isChosen(y), false);
  for (let ballot = 10; ballot < 1_000; ballot++) {
    witness.announce(a!, ballot, y);
  }
  assertEquals(witness.isChosen(x), false, "old ballots are forgotten");
  const signature = await signConsensus(x, KEYRINGS[0]!);
  assert(witness.sign(signature, x));
  assertEquals(witness.signatures(x), undefined);
  assertEquals(witness.sign(await signConsensus(y, KEYRINGS[0]!), y), false);
  assert(witness.sign(await signConsensus(x, KEYRINGS[1]!), x));
  assertEquals(witness.signatures(x)!.length, 2);
});
