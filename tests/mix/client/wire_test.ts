import { assert, assertEquals } from "@std/assert";
import { TokenFilter } from "../../../lib/mix/dialing/filter.ts";
import type { DialSource } from "../../../lib/mix/client/sources.ts";
import * as commands from "../../../lib/mix/commands.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import { CommandWriter, randomBytes } from "../../../lib/protocol/mod.ts";
import { seeded } from "../statistics/seeded.ts";
import {
  BusySource,
  ClientFixture,
  roundOf,
  signed,
} from "./client_fixture.ts";
import type { Sent } from "./scripted_entry.ts";

const { EXCHANGE, DIALING } = RoundKind;
const RUNS = 8;
const COUNT = 60;
const ROUNDS = RUNS * COUNT;

/** Someone who calls in every dialing round, or never. */
function caller(calls: boolean): DialSource {
  return {
    certificateId: randomBytes(32),
    dial: () =>
      Promise.resolve(
        calls
          ? { to: randomBytes(32), token: randomBytes(32), done: () => {} }
          : undefined,
      ),
    heard: () => Promise.resolve(),
  };
}

/** A source of which every third answer takes long, some of them too long. */
function chatting(fixture: () => ClientFixture): BusySource {
  const source = new BusySource();
  let turn = 0;
  source.pause = () => {
    if (++turn % 3 > 0) return Promise.resolve();
    return new Promise((resolve) =>
      fixture().clock.after(turn % 2 === 0 ? 60 : 400, resolve)
    );
  };
  return source;
}

/** All that somebody on the wire sees of a client in 480 exchange rounds, 16 minutes. */
async function wireOf(
  seed: number,
  life: "busy" | "idle" | "crowd",
): Promise<Sent[]> {
  const busy = chatting(() => fixture);
  const idle = new BusySource();
  idle.takes = 0;
  const fixture: ClientFixture = new ClientFixture({
    exchange: life === "crowd" ? undefined : life === "busy" ? busy : idle,
    dial: life === "crowd" ? undefined : caller(life === "busy"),
    heardUpTo: 1_800_000_000_000,
  }, seeded(seed));
  const { clock, entry, client } = fixture;
  entry.delay = 20;
  const filters: number[] = [];
  fixture.echo((replies, round) => {
    if (round.kind === DIALING) {
      clock.after(
        Math.max(0, round.start + 1_250 - entry.now()),
        () => filters.push(round.start),
      );
    }
    return replies;
  });
  const { onMessage } = entry;
  entry.onMessage = (message, link) => {
    if (message.verb !== commands.FETCH_FILTER) return onMessage(message, link);
    const after = message.need(commands.ROUND_START);
    const start = filters.find((each) => each > after);
    const answer = new CommandWriter();
    if (start !== undefined) {
      answer.set(commands.ROUND_START, BigInt(start))
        .set(commands.FILTER, TokenFilter.build([]).encode());
    }
    link.say(answer.verb(commands.FETCHED_FILTER).done());
  };
  await fixture.join();
  let first = fixture.soon(10_000);
  for (let run = 0; run < RUNS; run++) {
    entry.announce(
      await signed({
        kind: DIALING,
        first,
        count: COUNT / 5,
        period: 10_000,
        window: 1_200,
        slots: 1,
      }),
    );
    // One is verified after the other: when this one is taken, so is that before it.
    await fixture.announce(await signed({ first, count: COUNT }));
    first += COUNT * 2_000;
    await clock.advance(first - 1_000 - entry.now());
  }
  await clock.advance(12_000);
  assertEquals(client.status.exchange.done, ROUNDS);
  assertEquals(client.status.dialing.done, ROUNDS / 5);
  assertEquals(client.status.spent > ROUNDS / 2, life === "busy");
  if (life === "busy") assert(busy.fates.includes("late"));
  await client.close();
  return entry.sent;
}

/** How often what of which length was sent. */
function countsOf(sent: readonly Sent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verb, bytes } of sent) {
    const name = `${verb} of ${bytes} bytes`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** How far into their windows the onions of a kind came, in milliseconds, sorted. */
function timesOf(sent: readonly Sent[], kind: RoundKind): number[] {
  return sent.filter(({ message }) =>
    message.verb === commands.SUBMIT_ONIONS && roundOf(message).kind === kind
  ).map(({ at, message }) => at - roundOf(message).start)
    .sort((a, b) => a - b);
}

/** The largest distance of two empirical distributions (Kolmogorov and Smirnov). */
function distance(a: readonly number[], b: readonly number[]): number {
  const below = (sorted: readonly number[], x: number) =>
    sorted.filter((each) => each <= x).length / sorted.length;
  return Math.max(
    ...[...a, ...b].map((x) => Math.abs(below(a, x) - below(b, x))),
  );
}

const [BUSY, IDLE, CROWD] = await Promise.all([
  wireOf(11, "busy"),
  wireOf(12, "idle"),
  wireOf(13, "crowd"),
]);

Deno.test("S3.5, S3.6: on the wire a busy client sends the same as an idle one: as much, and as often", () => {
  const counts = countsOf(BUSY);
  assertEquals(Object.keys(counts).length, 5, JSON.stringify(counts));
  assertEquals(countsOf(IDLE), counts);
  assertEquals(countsOf(CROWD), counts);
});

Deno.test("S3.5, S3.6: the same rounds get onions, busy or idle", () => {
  const lossPerRound = (sent: readonly Sent[]) =>
    sent.filter(({ verb }) => verb === "SUBMIT-ONIONS")
      .map(({ message }) =>
        `${roundOf(message).kind}/${roundOf(message).start}`
      )
      .sort();
  assertEquals(lossPerRound(IDLE), lossPerRound(BUSY));
  assertEquals(lossPerRound(CROWD), lossPerRound(BUSY));
});

/** The distance that chance exceeds once in a thousand: c(0.001) = 1.95 (Smirnov 1948). */
const limit = (n: number, m: number) => 1.95 * Math.sqrt((n + m) / (n * m));

for (
  const [name, kind, fewest] of [
    ["exchange", EXCHANGE, ROUNDS],
    ["dialing", DIALING, ROUNDS / 5],
  ] as const
) {
  Deno.test(`S3.5, S3.6: when the onions of ${name} rounds come has one distribution, busy or idle`, () => {
    const [busy, idle, crowd] = [BUSY, IDLE, CROWD].map((each) =>
      timesOf(each, kind)
    );
    assertEquals(busy!.length, fewest);
    assert(distance(busy!, idle!) < limit(fewest, fewest));
    assert(distance(busy!, crowd!) < limit(fewest, fewest));
    // It is the uniform one, over 70 % of the window less the way there and back, 20 ms after it leaves.
    const uniform = Array.from({ length: 800 }, (_, i) => i + 20.5);
    assert(distance(busy!, uniform) < limit(fewest, 10 * fewest));
    assert(distance(idle!, uniform) < limit(fewest, 10 * fewest));
  });
}

Deno.test("S3.5: the bound finds a client that waits 120 ms longer when it is busy", () => {
  const idle = timesOf(IDLE, EXCHANGE);
  const slower = timesOf(BUSY, EXCHANGE).map((each) => each + 120);
  assert(distance(idle, slower) > limit(ROUNDS, ROUNDS));
});
