import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import * as commands from "../../../lib/mix/commands.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import { CommandWriter, randomBytes } from "../../../lib/protocol/mod.ts";
import {
  BusySource,
  ClientFixture,
  roundOf,
  signed,
} from "./client_fixture.ts";

const { EXCHANGE, DIALING } = RoundKind;

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
