import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MixError } from "../../../lib/mix/mix_error.ts";
import { RoundKind, roundName } from "../../../lib/mix/round.ts";
import type { Behaviour } from "./fake_mix.ts";
import { Network } from "./network.ts";

const EXCHANGE = RoundKind.EXCHANGE;

Deno.test("S3.5: a mix that dies fails the rounds of its run with its place, and a new run comes at once", async () => {
  await using network = await Network.of(3);
  const client = network.join(() => 0.5);
  await network.time.advance(9_100);
  const before = client.settings.length;
  const died = network.time.now();
  network.mixes[1]!.behaviour = "gone";
  await network.time.advance(4_000);
  const failed = [...client.told.values()].flat()
    .filter((told) => "failed" in told);
  assert(failed.length > 0);
  assertEquals(new Set(failed.map((told) => told.failed)), new Set([1]));
  network.mixes[1]!.behaviour = "good";
  await network.time.advance(12_000);
  const after = client.settings.slice(before)
    .filter(({ run }) => run.kind === EXCHANGE);
  assertEquals(after.length, 1);
  const { run, at } = after[0]!;
  // It is there sooner than a run that waits for the end of the other one.
  assert(run.first <= at + 4_000 && run.first < died + 12_000);
  const done = client.count("done", EXCHANGE);
  await network.time.advance(10_000);
  assertEquals(client.count("done", EXCHANGE), done + 5);
  assertEquals(network.service.status.exchange.voided, 1);
});

Deno.test("S3.5: onions for a run that was given up are answered with the place that failed", async () => {
  await using network = await Network.of(2);
  const busy = network.join(() => 0.2);
  const idle = network.join();
  await network.time.advance(6_000);
  const { first, period, window } = busy.firstOf(EXCHANGE);
  const start = first + period * 3;
  await network.time.advance(start - network.time.now() - 100);
  network.mixes[1]!.behaviour = "gone";
  await network.time.advance(100 + window + 10);
  const next = { kind: EXCHANGE, start: start + period };
  await network.time.advance(next.start + 10 - network.time.now());
  idle.submit(next);
  await network.time.settle();
  assertEquals(idle.told.get(roundName(next)), [{ failed: 1 }]);
});

for (const behaviour of ["silent", "refusing", "lying"] as const) {
  Deno.test(`S3.5: a mix that is ${behaviour} costs rounds, each of which is given up in time`, async () => {
    await using network = await Network.of(3);
    const client = network.join(() => 0.5);
    await network.time.advance(9_100);
    network.mixes[2]!.behaviour = behaviour;
    await network.time.advance(30_000);
    network.mixes[2]!.behaviour = "good";
    await network.time.advance(30_000);
    const done = client.count("done", EXCHANGE);
    await network.time.advance(20_000);
    assertEquals(client.count("done", EXCHANGE), done + 10);
    for (const [name, told] of client.told) {
      assertEquals(told.length, 1, name);
      if ("failed" in told[0]!) assertEquals(told[0].failed, 2);
    }
    assert(client.count("failed", EXCHANGE) >= 3);
    const { exchange } = network.service.status;
    assert(exchange.failed >= 3);
    // Rounds of a mix that answers wrongly are not tried for ever with the same keys.
    assert(exchange.voided >= 1);
    assertEquals(network.mixes.flatMap(({ broken }) => broken), []);
  });
}

Deno.test("S3.5: no run is announced while a mix is missing, and one is within seconds when it is back", async () => {
  await using network = await Network.of(3);
  network.mixes[2]!.behaviour = "gone";
  const client = network.join(() => 0.5);
  await network.time.advance(120_000);
  assertEquals(client.settings, []);
  assert(network.failures.length > 5, "tried again");
  assert(network.failures.length < 100, "not all the time");
  network.mixes[2]!.behaviour = "good";
  await network.time.advance(20_000);
  assert(client.count("done", EXCHANGE) > 0);
});

Deno.test("S3.5: `least` allows a chain without those that are missing, but not without the first", async () => {
  await using network = await Network.of(3, { least: 2 });
  network.mixes[1]!.behaviour = "silent";
  const client = network.join(() => 0.5);
  await network.time.advance(20_000);
  assert(client.count("done", EXCHANGE) > 0);
  assertEquals(
    client.firstOf(EXCHANGE).mixes.map(({ fingerprint }) => fingerprint),
    [0, 2].map((place) => network.mixes[place]!.identity.fingerprint),
  );
  network.mixes[1]!.behaviour = "good";
  await network.time.advance(60_000);
  assertEquals(client.settings.at(-1)!.run.mixes.length, 3);
  network.mixes[0]!.behaviour = "gone";
  await network.time.advance(60_000);
  const told = client.settings.length;
  await network.time.advance(60_000);
  assertEquals(client.settings.length, told);
});

Deno.test("S3.5: a mix that signs nothing is left out, and the others sign anew", async () => {
  await using network = await Network.of(3, { least: 2 });
  network.mixes[1]!.sign = () => Promise.reject(new Error("no"));
  const client = network.join(() => 0.5);
  await network.time.advance(20_000);
  assertEquals(client.firstOf(EXCHANGE).mixes.length, 2);
  assert(client.count("done", EXCHANGE) > 0);
  assertEquals(client.count("failed"), 0);
});

Deno.test("S3.5: settings that a mix has signed wrongly are not announced", async () => {
  await using network = await Network.of(2);
  network.mixes[1]!.sign = () => Promise.resolve(new Uint8Array(64));
  const client = network.join(() => 0.5);
  await network.time.advance(20_000);
  assertEquals(client.settings, []);
  assert(network.failures.length > 0);
});

Deno.test("S3.5: a run that was being made while another was given up leaves no gap", async () => {
  await using network = await Network.of(2);
  const client = network.join(() => 0.5);
  await network.time.settle();
  const { first, period, count } = client.firstOf(EXCHANGE);
  const end = first + period * count;
  // The next run is made 14 seconds before the end of this one.
  network.mixes[1]!.delay = 1_400;
  await network.time.advance(end - 14_000 + 500 - network.time.now());
  const { add } = network.mixes[1]!;
  network.mixes[1]!.add = () =>
    Promise.reject(new MixError("ERR_MIX_GONE", "Cannot go on"));
  await network.time.advance(1_200);
  network.mixes[1]!.add = add;
  network.mixes[1]!.delay = 0;
  const before = network.time.now();
  await network.time.advance(7_000);
  assertEquals(network.service.status.exchange.voided, 1);
  assert(client.settings.at(-1)!.run.first < before + 7_000);
  const done = client.count("done", EXCHANGE);
  await network.time.advance(10_000);
  assertEquals(client.count("done", EXCHANGE), done + 5);
});

Deno.test("S3.5: whoever has not heard yet that a run was given up is told so, and is not out", async () => {
  await using network = await Network.of(3, { least: 2 });
  const client = network.join();
  await network.time.settle();
  const old = client.firstOf(EXCHANGE);
  const first = { kind: EXCHANGE, start: old.first };
  await network.time.advance(old.first - network.time.now());
  network.mixes[2]!.behaviour = "gone";
  client.submit(first);
  await network.time.settle();
  assertEquals(client.told.get(roundName(first)), [{ failed: 2 }]);
  await network.time.advance(1_000);
  const { first: start, mixes } = client.settings
    .findLast(({ run }) => run.kind === EXCHANGE)!.run;
  assertEquals([old.mixes.length, mixes.length], [3, 2]);
  const round = { kind: EXCHANGE, start };
  assert(start < old.first + old.count * old.period);
  await network.time.advance(start - network.time.now());
  client.submit(round, client.onions(first));
  await network.time.settle();
  assertEquals(client.told.get(roundName(round)), [{ failed: 2 }]);
  assertEquals(client.link.ended, undefined);
  client.told.clear();
  client.submit(round);
  await network.time.settle();
  assertEquals(client.told.get(roundName(round)), [{
    done: client.expected(round),
  }]);
});

Deno.test("S3.5: rounds that would have started before their run was made are none", async () => {
  await using network = await Network.of(2);
  network.mixes[1]!.delay = 2_400;
  const client = network.join();
  await network.time.advance(5_000);
  const { first, period } = client.firstOf(EXCHANGE);
  const { at } = client.settings.find(({ run }) => run.kind === EXCHANGE)!;
  assert(first < at, `${first} ${at}`);
  const index = Math.floor((at - first) / period);
  const missed = { kind: EXCHANGE, start: first + index * period };
  client.submit(missed);
  await network.time.settle();
  assertEquals(client.told.get(roundName(missed)), [{ late: 0 }]);
});

Deno.test("S3.5: a mix whose keys do not fit is left out like one that is gone", async () => {
  await using network = await Network.of(3, { least: 2 });
  network.mixes[2]!.behaviour = "lying";
  const client = network.join();
  await network.time.advance(20_000);
  assertEquals(client.firstOf(EXCHANGE).mixes.length, 2);
});

/** Something that happens to a mix or a client. */
interface Happening {
  readonly after: number;
  readonly place: number;
  readonly behaviour: Behaviour;
  readonly delay: number;
  readonly restarts: boolean;
  readonly joins: boolean;
  readonly leaves: boolean;
}

const HAPPENINGS: fc.Arbitrary<Happening[]> = fc.array(
  fc.record({
    after: fc.integer({ min: 0, max: 20_000 }),
    place: fc.integer({ min: 0, max: 2 }),
    behaviour: fc.constantFrom<Behaviour>(
      "good",
      "good",
      "good",
      "gone",
      "silent",
      "refusing",
      "lying",
    ),
    delay: fc.constantFrom(0, 0, 10, 300, 2_500, 9_000),
    restarts: fc.boolean(),
    joins: fc.boolean(),
    leaves: fc.boolean(),
  }),
  { minLength: 5, maxLength: 30 },
);

Deno.test("S3.5: whatever becomes of mixes and clients, rounds go on when mixes do, none is answered twice, nothing is left", async () => {
  let rounds = 0;
  await fc.assert(
    fc.asyncProperty(HAPPENINGS, fc.boolean(), async (happenings, shorter) => {
      await using network = await Network.of(3, shorter ? { least: 2 } : {});
      const { time, mixes } = network;
      let turn = 0;
      const at = () => (turn++ * 0.37) % 1;
      network.join(at);
      for (const happening of happenings) {
        await time.advance(happening.after);
        const mix = mixes[happening.place]!;
        mix.behaviour = happening.behaviour;
        mix.delay = happening.delay;
        if (happening.restarts) mix.restart();
        if (happening.joins && network.clients.length < 8) network.join(at);
        if (happening.leaves) network.clients.at(-1)!.link.leave();
      }
      for (const mix of mixes) {
        mix.behaviour = "good";
        mix.delay = 5;
      }
      const last = network.join(at);
      // The longest wait between attempts, the slowest round, and a run.
      await time.advance(62_000 - time.now() % 2_000);
      const done = last.count("done", EXCHANGE);
      await time.advance(20_000);
      assertEquals(last.count("done", EXCHANGE), done + 10);
      for (const client of network.clients) {
        for (const [name, told] of client.told) {
          assertEquals(told.length, 1, `${name}: ${JSON.stringify(told)}`);
          const reply = told[0]!;
          if (!("done" in reply)) continue;
          const [kind, start] = name.split("/").map(Number);
          const round = { kind: kind as RoundKind, start: start! };
          assertEquals(reply.done?.length, client.expected(round)?.length);
        }
        if (client.link.ended !== undefined) continue;
        const open = [...client.sent.keys()].filter((name) =>
          !client.told.has(name) &&
          Number(name.split("/")[1]) < time.now() - 15_000
        );
        assertEquals(open, []);
      }
      rounds += network.service.status.exchange.done;
      // Everybody leaves: nothing goes on, nothing is kept.
      for (const client of network.clients) client.link.leave();
      await time.advance(400_000);
      assertEquals(time.waiting, 0);
      assertEquals(network.service.status.inFlight, 0);
      assertEquals(network.service.status.clients, 0);
      assertEquals(mixes.map((mix) => mix.rounds), [0, 0, 0]);
      assertEquals(mixes.flatMap(({ broken }) => broken), []);
    }),
    { numRuns: 30 },
  );
  assert(rounds > 500, `${rounds} rounds`);
});
