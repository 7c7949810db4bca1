import { assert, assertEquals } from "@std/assert";
import type { ExchangeSource } from "../../lib/mix/client/sources.ts";
import { MixService } from "../../lib/mix/coordinator/mix_service.ts";
import { RoundKind } from "../../lib/mix/round.ts";
import { concat, randomBytes } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { assertAllArrived, assertTruthful } from "./mix_person.ts";
import type { MixPerson } from "./mix_person.ts";
import { TamperedMix } from "./mix_tampered.ts";
import type { Tampering } from "./mix_tampered.ts";
import { MixWorld } from "./mix_world.ts";

const PERIOD = 2_000;

/** Exchange rounds that were done for somebody, by their starts. */
function doneOf({ events }: MixPerson): Set<number> {
  return new Set(
    events.flatMap((event) =>
      event.type === "round" && event.outcome === "done" &&
        event.round.kind === RoundKind.EXCHANGE
        ? [event.round.start]
        : []
    ),
  );
}

Deno.test("S3.7: who writes at the drop of two others, even several times a round, can keep them apart and no more, and is noticed", async () => {
  await using world = await MixWorld.raise();
  const drops = new Map<number, Bytes>();
  const [alice, bob] = await world.talking({
    between: (line): ExchangeSource => ({
      async outgoing(round, slots) {
        const exchanges = await line.outgoing(round, slots);
        const [first] = exchanges;
        if (first) drops.set(round.start, first.payload.slice(0, 16));
        return exchanges;
      },
    }),
  });
  const written = new Set<string>();
  let heard = 0;
  const strange: string[] = [];
  let writes = true;
  await world.person("carol", {
    // She has broken into somebody's machine, and knows where the two meet.
    between: (): ExchangeSource => ({
      outgoing({ start }, slots) {
        const drop = drops.get(start);
        if (!writes || drop === undefined) return Promise.resolve([]);
        return Promise.resolve(Array.from({ length: slots }, () => {
          const text = randomBytes(496);
          written.add(text.toHex());
          return {
            payload: concat(drop, text),
            answered(reply: Bytes) {
              heard++;
              if (!written.has(reply.toHex())) strange.push(reply.toHex());
            },
            lost: () => {},
          };
        }));
      },
    }),
  });
  for (let round = 0; round < 40; round++) {
    if (round % 4 === 0) alice.say(bob, `${round}`.padEnd(round * 20, "."));
    if (round % 5 === 0) bob.say(alice, `${round}`);
    await world.time.advance(PERIOD);
    assertTruthful(alice, bob);
  }
  writes = false;
  await world.time.advance(90_000);
  assertAllArrived(alice, bob);
  assert(heard > 30, `${heard} replies to her`);
  assert(strange.length > 5, `${strange.length} of others`);
  // What was left there is given to one at most; whoever is third gets what nobody has left.
  assertEquals(new Set(strange).size, strange.length);
  // Both see that somebody is there who should not be.
  assert(alice.count("garbled") > 0 && bob.count("garbled") > 0);
});

Deno.test("S3.6: an entry that keeps all onions but one client's is noticed by all others, and the noise of the next mix is as ever", async () => {
  const noise = { mean: 10, scale: 2 };
  const counts = { honest: [] as number[], attack: [] as number[] };
  let attacks = false;
  const entry = (): Tampering => {
    if (!attacks) return {};
    let all = 0;
    return {
      // Whoever hands in first; the next mix gets these three and noise of the first mix.
      forth(onions) {
        all = onions.length;
        return onions.slice(0, 3);
      },
      back: (replies) => [
        ...replies,
        ...Array.from(
          { length: all - replies.length },
          () => randomBytes(replies[0]!.length),
        ),
      ],
    };
  };
  const second = (): Tampering => ({
    mixed: (given, taken) =>
      counts[attacks ? "attack" : "honest"].push(taken - given),
  });
  await using world = await MixWorld.raise({
    noise,
    between: (mix, place) =>
      place === 0
        ? new TamperedMix(mix, 2, entry)
        : place === 1
        ? new TamperedMix(mix, 1, second)
        : mix,
  });
  const people: MixPerson[] = [];
  for (let i = 0; i < 5; i++) people.push(await world.person(`${i}`));
  await world.time.advance(60_000);
  const missing = () => people.map(({ client }) => client.status.missing);
  assertEquals(missing(), [0, 0, 0, 0, 0]);
  attacks = true;
  await world.time.advance(60_000);
  attacks = false;
  // Four of five lose all of their covers in every round.
  const rounds = counts.attack.length;
  assert(rounds >= 25, `${rounds} rounds`);
  assertEquals(
    missing().reduce((sum, each) => sum + each),
    rounds * 4 * 3,
  );
  assert(missing().every((each) => each > 0), `${missing()}`);
  // Mean 10 singles and 5 pairs; six times the deviation of the mean of so many.
  for (const [name, each] of Object.entries(counts)) {
    const mean = each.reduce((sum, n) => sum + n) / each.length;
    const deviation = Math.sqrt((8 + 4 * 2) / each.length);
    assert(Math.abs(mean - 20) < 6 * deviation, `${name}: ${mean}`);
    assert(new Set(each).size > 4, `${name}: hardly random`);
  }
});

Deno.test("S3.5: a coordinator that has people mixed with different keys finishes no round for both, and both see that", async () => {
  await using world = await MixWorld.raise();
  const other = new MixService({
    identity: world.server.certificate,
    chain: () => world.chain(),
    exchange: { count: 5 },
    dialing: { count: 2 },
    timers: world.time,
  });
  const alice = await world.person("alice");
  // Not at the same time: what the mixes have signed for the one is there when they sign for the other.
  await world.time.advance(5_500);
  const bob = await world.person("bob", {
    connect: () => world.connect(other),
  });
  await world.time.advance(120_000);
  const [ofAlice, ofBob] = [doneOf(alice), doneOf(bob)];
  assertEquals([...ofAlice].filter((start) => ofBob.has(start)), []);
  assert(ofAlice.size + ofBob.size > 0, "no round was done at all");
  for (const { client: { status } } of [alice, bob]) {
    assert(status.exchange.failed > 5, `${status.exchange.failed} failed`);
  }
  const stopping = other.stop();
  await world.time.advance(30_000);
  await stopping;
  // With one set of keys all is well again.
  const before = doneOf(alice).size;
  await world.time.advance(30_000);
  assert(doneOf(alice).size > before + 10);
});
