import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as commands from "../../../lib/mix/commands.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import type { SettingsFields } from "../../../lib/mix/settings/settings_fields.ts";
import { CommandWriter, randomBytes } from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import {
  BusySource,
  ClientFixture,
  MIXES,
  roundOf,
  signed,
} from "./client_fixture.ts";
import { until } from "./virtual_clock.ts";

const { EXCHANGE, DIALING } = RoundKind;
const STRANGER = await freshNodeKeyring();

function nonsense() {
  return Uint8Array.from([1, ...randomBytes(199)]);
}

function placeOf({ certificate }: (typeof MIXES)[number], count = 15) {
  return {
    fingerprint: certificate.fingerprint,
    noise: { mean: 20, scale: 5 },
    onionKeys: Array.from({ length: count }, () => randomBytes(32)),
  };
}

const REFUSED: readonly (readonly [
  string,
  Partial<SettingsFields>,
  typeof MIXES,
  string,
])[] = [
  [
    "that a stranger signed for a mix",
    {},
    [MIXES[0]!, STRANGER],
    "mix 1 has not signed",
  ],
  [
    "whose signatures are swapped",
    {},
    [MIXES[1]!, MIXES[0]!],
    "has not signed",
  ],
  [
    "with a mix that nobody knows",
    {
      mixes: [placeOf(MIXES[0]!), placeOf(STRANGER)],
    },
    [MIXES[0]!, STRANGER],
    "mix 1 is not known as one",
  ],
  [
    "with one mix twice",
    {
      mixes: [placeOf(MIXES[0]!), placeOf(MIXES[0]!)],
    },
    [MIXES[0]!, MIXES[0]!],
    "stands in the chain twice",
  ],
  [
    "of another coordinator",
    {
      coordinator: randomBytes(32),
    },
    MIXES,
    "another coordinator's",
  ],
  [
    "with fewer mixes than wanted",
    {
      mixes: [placeOf(MIXES[0]!)],
    },
    [MIXES[0]!],
    "1 mixes, not 2",
  ],
  ["with more slots than anybody needs", { slots: 17 }, MIXES, "17 slots"],
  ["with a window that is none", { window: 49 }, MIXES, "a window of 49 ms"],
];

for (const [name, changes, signers, why] of REFUSED) {
  Deno.test(`S3.5: settings ${name} are refused`, async () => {
    const fixture = new ClientFixture();
    fixture.echo();
    await fixture.join();
    const first = fixture.soon();
    await fixture.announce(await signed({ first, ...changes }, signers));
    assert(fixture.refusals[0]?.includes(why), fixture.refusals[0]);
    await fixture.clock.advance(40_000);
    assertEquals(fixture.entry.submissions(EXCHANGE).length, 0);
    assertEquals(fixture.client.status.joined, true);
    await fixture.client.close();
    // One signature is enough to refuse; the others are still being looked at.
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
}

for (
  const [name, off, why] of [
    ["whose rounds are over", -32_000, "are over"],
    ["that are for much later", 3_700_000, "much later"],
  ] as const
) {
  Deno.test(`S3.5: settings ${name} are refused`, async () => {
    const fixture = new ClientFixture();
    await fixture.join();
    await fixture.announce(await signed({ first: fixture.soon() + off }));
    assert(fixture.refusals[0]?.includes(why), fixture.refusals[0]);
    await fixture.client.close();
  });
}

Deno.test("S3.5: settings with a flipped bit, cut short or drawn out are refused, wherever", async () => {
  const fixture = new ClientFixture();
  await fixture.join();
  const document = await signed({ first: fixture.soon(), count: 2 });
  const spoilt = [
    document.slice(0, -1),
    document.slice(0, 40),
    new Uint8Array(0),
    Uint8Array.from([...document, 0]),
    ...[0, 1, 33, 34, 42, document.length - 1, document.length - 100].map(
      (at) => {
        const copy = document.slice();
        copy[at]! ^= 1;
        return copy;
      },
    ),
  ];
  for (const each of spoilt) {
    const before = fixture.refusals.length;
    await fixture.announce(each);
    assertEquals(fixture.refusals.length, before + 1);
  }
  assertEquals(fixture.client.status.nextIn, undefined);
  await fixture.announce(document);
  assert(fixture.client.status.nextIn! > 0);
  await fixture.client.close();
});

Deno.test("S3.5: no round is taken part in twice, whatever is signed for it and however often it is announced", async () => {
  const fixture = new ClientFixture({
    reconnecting: { first: 100, longest: 100 },
  });
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  const one = await signed({ first, count: 4 });
  const other = await signed({ first, count: 4 });
  await fixture.announce(one);
  await fixture.clock.advance(first + 1_900 - fixture.entry.now());
  fixture.entry.announce(one);
  fixture.entry.announce(one);
  // Keys of another client, perhaps: the rounds that are left are theirs, the one that was is not.
  await fixture.announce(other);
  await fixture.clock.advance(1_300);
  fixture.entry.link.hangUp();
  await fixture.clock.advance(200);
  fixture.entry.announce(one);
  await fixture.announce(other);
  await fixture.clock.advance(20_000);
  const starts = fixture.entry.submissions(EXCHANGE)
    .map(({ message }) => roundOf(message).start);
  assertEquals(starts, [0, 2_000, 4_000, 6_000].map((each) => first + each));
  // When all of them were used, there is nothing left of it.
  fixture.entry.link.hangUp();
  await fixture.clock.advance(200);
  await fixture.announce(one);
  assert(fixture.refusals.at(-1)?.includes("over"));
  await fixture.client.close();
});

Deno.test("S3.5: settings that replace others are kept to at once; what was made by the others is not handed in", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first, count: 15 }));
  await fixture.announce(await signed({ first: first + 30_000, count: 15 }));
  await fixture.clock.advance(5_000);
  // A mix is gone: both runs are void, the next one begins before them and has another length.
  const mixes = [placeOf(MIXES[1]!), placeOf(MIXES[0]!)];
  const again = first + 8_000;
  await fixture.announce(
    await signed({ first: again, mixes, slots: 4 }, [MIXES[1]!, MIXES[0]!]),
  );
  assertEquals(fixture.of("chain").length, 2);
  await fixture.clock.advance(40_000);
  const counts = fixture.entry.submissions(EXCHANGE).map(({ message }) => [
    roundOf(message).start < again,
    message.need(commands.ONIONS).length / 608,
  ]);
  assert(counts.length > 15);
  for (const [isBefore, slots] of counts) assertEquals(slots, isBefore ? 3 : 4);
  await fixture.client.close();
});

Deno.test("S3.5: who announces without end is not listened to, and left", async () => {
  const fixture = new ClientFixture();
  await fixture.join();
  for (let i = 0; i < 100; i++) fixture.entry.announce(nonsense());
  await until(() => fixture.of("gone").length > 0);
  const { error } = fixture.of("gone")[0]!;
  assert(error instanceof MixError && error.code === "ERR_MIX_REFUSED");
  assertEquals(fixture.entry.links[0]!.ended, "aborted");
  assert(fixture.refusals.length <= 32);
  await fixture.client.close();
  assertEquals(fixture.clock.waiting, 0);
});

Deno.test("S3.5: who announces nonsense slowly is left, too", async () => {
  const fixture = new ClientFixture();
  await fixture.join();
  for (let i = 0; i < 40 && fixture.of("gone").length === 0; i++) {
    fixture.entry.announce(nonsense());
    await fixture.clock.advance(10);
  }
  assertEquals(fixture.refusals.length, 32);
  assertEquals(fixture.of("gone").length, 1);
  await fixture.client.close();
});

for (
  const [name, length] of [
    ["none", 0],
    ["one byte less", 3 * 528 - 1],
    ["one byte more", 3 * 528 + 1],
    ["one reply less", 2 * 528],
    ["one reply more", 4 * 528],
  ] as const
) {
  Deno.test(`S3.5: replies of a wrong length are no replies: ${name}`, async () => {
    const source = new BusySource();
    const fixture = new ClientFixture({ exchange: source });
    fixture.echo(() => new Uint8Array(length));
    await fixture.join();
    await fixture.announce(await signed({ first: fixture.soon(), count: 1 }));
    await fixture.clock.advance(5_000);
    assertEquals(source.fates, ["failed", "failed"]);
    assertEquals(fixture.outcomes, ["failed"]);
    await fixture.client.close();
  });
}

Deno.test("S3.5: answers for rounds that nobody waits for, and second ones, do nothing", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first, count: 2 }));
  const say = () => {
    for (const start of [0, first - 2_000, first, first + 2_000, 2 ** 51]) {
      for (const kind of [EXCHANGE, DIALING]) {
        fixture.entry.done({ kind, start }, randomBytes(3 * 528));
        fixture.entry.late({ kind, start }, 0xffff_ffff);
        fixture.entry.failed({ kind, start });
      }
    }
  };
  say();
  await fixture.clock.advance(first + 8_000 - fixture.entry.now());
  assertEquals(source.fates, new Array(4).fill("answered"));
  say();
  await fixture.clock.advance(20_000);
  assertEquals(source.fates.length, 4);
  assertEquals(fixture.outcomes, ["done", "done"]);
  assertEquals(fixture.client.status.joined, true);
  await fixture.client.close();
});

Deno.test("S3.5: an answer before its round is asked for spoils only that round", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  fixture.entry.onMessage = (message, link) => {
    fixture.entry.courtesy(message, link);
    if (message.verb !== commands.SUBMIT_ONIONS) return;
    fixture.entry.late(roundOf(message), 0xffff_ffff);
  };
  await fixture.join();
  await fixture.announce(await signed({ first: fixture.soon(), count: 15 }));
  await fixture.clock.advance(40_000);
  // However late it is said to be, the client goes on, at the start of every window.
  assertEquals(fixture.client.status.exchange.late, 15);
  assertEquals(source.fates, new Array(30).fill("late"));
  for (const { earlier } of fixture.of("adapted")) assert(earlier <= 10_000);
  await fixture.client.close();
});

const BREACHES: readonly (readonly [string, () => CommandWriter])[] = [
  [
    "an answer to nothing",
    () => new CommandWriter().set(commands.CLOCK, 1n).verb(commands.PROBED),
  ],
  [
    "being taken in twice",
    () => new CommandWriter().set(commands.CLOCK, 1n).verb(commands.JOINED),
  ],
  [
    "a filter for nothing",
    () => new CommandWriter().verb(commands.FETCHED_FILTER),
  ],
  [
    "a kind of rounds that there is not",
    () =>
      new CommandWriter().set(commands.ROUND_KIND, 3)
        .set(commands.ROUND_START, 1n).verb(commands.ROUND_DONE),
  ],
  [
    "a round that starts in millions of years",
    () =>
      new CommandWriter().set(commands.ROUND_KIND, 1)
        .set(commands.ROUND_START, 2n ** 63n).verb(commands.ROUND_DONE),
  ],
  [
    "a round without a start",
    () =>
      new CommandWriter().set(commands.ROUND_KIND, 1).verb(commands.ROUND_LATE),
  ],
  ["what only clients say", () => new CommandWriter().verb(commands.PROBE)],
  ["settings without any", () => new CommandWriter().verb(commands.ANNOUNCE)],
];

for (const [name, words] of BREACHES) {
  Deno.test(`S3.5: ${name} ends the connection, and another one is made`, async () => {
    const source = new BusySource();
    const fixture = new ClientFixture({
      exchange: source,
      reconnecting: { first: 100, longest: 100 },
    });
    fixture.echo(() => undefined);
    await fixture.join();
    const first = fixture.soon();
    await fixture.announce(await signed({ first }));
    await fixture.clock.advance(first + 1_000 - fixture.entry.now());
    fixture.entry.link.say(words().done());
    await fixture.clock.advance(200);
    assertEquals(source.fates, ["unknown", "unknown"]);
    assertEquals(fixture.entry.links.length, 2);
    assertEquals(fixture.client.status.joined, true);
    await fixture.client.close();
    assertEquals(fixture.clock.waiting, 0);
  });
}

Deno.test("S3.5: an entry that says nothing is left, whenever it falls silent", async () => {
  for (const mute of ["JOIN", "PROBE"]) {
    const fixture = new ClientFixture({
      reconnecting: { first: 100, longest: 100 },
    });
    fixture.entry.onMessage = (message, link) => {
      if (message.verb.name !== mute) fixture.entry.courtesy(message, link);
    };
    await fixture.join();
    await fixture.clock.advance(9_000);
    assertEquals(fixture.of("gone").length, 0);
    await fixture.clock.advance(1_200);
    assertEquals(fixture.of("gone").length, 1);
    assertEquals(fixture.entry.links.length, 2);
    await fixture.client.close();
    assertEquals(fixture.clock.waiting, 0);
  }
  const fixture = new ClientFixture();
  await fixture.join();
  fixture.entry.onMessage = () => {};
  await fixture.clock.advance(41_000);
  assertEquals(fixture.of("gone").length, 1);
  await fixture.client.close();
});

Deno.test("S3.5: a machine that slept through rounds says that they are lost, and measures the clock again", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first, count: 30 }));
  await fixture.clock.advance(first - 500 - fixture.entry.now());
  await fixture.clock.sleep(13_000);
  await fixture.clock.advance(60_000);
  const { done, late } = fixture.client.status.exchange;
  assertEquals(done + late, 30);
  assert(late >= 6 && late <= 7, `${late} late`);
  for (const { at, message } of fixture.entry.submissions(EXCHANGE)) {
    assert(at < roundOf(message).start + 1_200);
  }
  await fixture.client.close();
});

Deno.test("S3.5: a steady clock that stood still while the date went on is set right", async () => {
  const fixture = new ClientFixture();
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first, count: 30 }));
  await fixture.clock.advance(first + 1_900 - fixture.entry.now());
  // Suspended for 5 seconds: the entry's time and the date went on, the steady clock did not.
  fixture.entry.skew += 5_000;
  fixture.clock.date += 5_000;
  const probes = () =>
    fixture.entry.sent.filter(({ verb }) => verb === "PROBE").length;
  const before = probes();
  await fixture.clock.advance(4_000);
  assert(probes() > before);
  await fixture.clock.advance(60_000);
  const sent = fixture.entry.submissions(EXCHANGE);
  for (const { at, message } of sent.slice(3)) {
    const into = at - roundOf(message).start;
    assert(into >= 0 && into < 840, `${into} ms`);
  }
  await fixture.client.close();
});

Deno.test("S3.5: whatever bytes an entry sends, the client goes on or leaves; no source is told twice", async () => {
  const start = BigInt(1_800_000_006_000);
  const word = fc.oneof(
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Uint8Array.from(bytes)),
    fc.constantFrom(
      commands.JOINED,
      commands.ANNOUNCE,
      commands.PROBED,
      commands.ROUND_DONE,
      commands.ROUND_LATE,
      commands.ROUND_FAILED,
      commands.FETCHED_FILTER,
    ).map((verb) =>
      new CommandWriter().set(commands.ROUND_KIND, 1)
        .set(commands.ROUND_START, start).set(commands.CLOCK, start)
        .set(commands.SETTINGS, new Uint8Array(9)).verb(verb).done()
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 8 }), async (words) => {
      const source = new BusySource();
      const fixture = new ClientFixture({ exchange: source });
      fixture.echo();
      await fixture.join();
      for (const each of words) {
        try {
          fixture.entry.link.say(each);
        } catch {
          // The decoder of this connection takes no more: the client does not see it.
        }
        await fixture.clock.advance(50);
      }
      await fixture.clock.advance(1_000);
      await fixture.client.close();
      assertEquals(fixture.clock.waiting, 0);
    }),
    { numRuns: 200 },
  );
});
