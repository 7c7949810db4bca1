import { assert, assertEquals } from "@std/assert";
import * as commands from "../../../lib/mix/commands.ts";
import { MixError } from "../../../lib/mix/mix_error.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import type { SettingsFields } from "../../../lib/mix/settings/settings_fields.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import {
  BusySource,
  ClientFixture,
  MIXES,
  roundOf,
  signed,
} from "./client_fixture.ts";
import { until } from "./virtual_clock.ts";

const { EXCHANGE } = RoundKind;
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

Deno.test("S3.5: a round that was being made when its settings were replaced is not handed in by the old ones", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first, count: 1 }));
  while (source.asked.length === 0) await fixture.clock.advance(1);
  await fixture.announce(await signed({ first, count: 2 }));
  await fixture.clock.advance(10_000);
  assertEquals(source.fates, ["late", "late", "answered", "answered"]);
  assertEquals(source.asked.map(({ start }) => start), [first, first + 2_000]);
  const [handed, ...more] = fixture.entry.submissions(EXCHANGE);
  assertEquals(roundOf(handed!.message).start, first + 2_000);
  assertEquals(more, []);
  await fixture.client.close();
});

Deno.test("S3.5: settings of a connection that is gone are worth nothing unless they are announced again", async () => {
  const fixture = new ClientFixture({
    reconnecting: { first: 100, longest: 100 },
  });
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first }));
  fixture.entry.link.hangUp();
  await fixture.clock.advance(200);
  assertEquals(fixture.client.status.joined, true);
  await fixture.announce(await signed({ first: first + 20_000, count: 1 }));
  await fixture.clock.advance(60_000);
  assertEquals(
    fixture.entry.submissions(EXCHANGE).map(({ message }) =>
      roundOf(message).start
    ),
    [first + 20_000],
  );
  await fixture.client.close();
});

Deno.test("S3.5: a source that is being asked when the connection breaks is told that it was too late", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  source.pause = () =>
    new Promise((resolve) => fixture.clock.after(100, resolve));
  await fixture.join();
  await fixture.announce(await signed({ first: fixture.soon() }));
  while (source.asked.length === 0) await fixture.clock.advance(1);
  fixture.entry.link.hangUp();
  await fixture.clock.advance(0);
  await fixture.client.close();
  await fixture.clock.advance(200);
  assertEquals(source.fates, ["late", "late"]);
  assertEquals(fixture.entry.submissions(EXCHANGE), []);
  assertEquals(fixture.clock.waiting, 0);
});

Deno.test("S3.5: no more than sixteen documents wait to be verified", async () => {
  const fixture = new ClientFixture({
    identityOf: () => new Promise(() => {}),
  });
  await fixture.join();
  const document = await signed({ first: fixture.soon() });
  for (let i = 0; i < 16; i++) fixture.entry.announce(document);
  await fixture.clock.advance(0);
  assertEquals(fixture.of("gone"), []);
  fixture.entry.announce(document);
  await fixture.clock.advance(0);
  assertEquals(fixture.of("gone").length, 1);
  await fixture.client.close();
});
