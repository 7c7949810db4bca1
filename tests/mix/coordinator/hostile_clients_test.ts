import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  CommandWriter,
  HELO,
  MalformedError,
  randomBytes,
} from "../../../lib/protocol/mod.ts";
import {
  BUCKET,
  CLOCK,
  FETCH_FILTER,
  FETCHED_FILTER,
  FILTER,
  JOIN,
  ONIONS,
  PROBE,
  PROBED,
  ROUND_KIND,
  ROUND_START,
  ROUNDS,
  SUBMIT_ONIONS,
} from "../../../lib/mix/commands.ts";
import { RoundKind, roundName } from "../../../lib/mix/round.ts";
import type { RoundId } from "../../../lib/mix/round.ts";
import type { FakeClient } from "./fake_client.ts";
import { Network } from "./network.ts";

const EXCHANGE = RoundKind.EXCHANGE;
const DIALING = RoundKind.DIALING;

/** The next round of a kind that has not begun, and time just before its start. */
async function before(
  network: Network,
  client: FakeClient,
  kind: RoundKind = EXCHANGE,
): Promise<RoundId> {
  await network.time.settle();
  const { first, period } = client.firstOf(kind);
  const now = network.time.now();
  const past = Math.max(0, Math.ceil((now - first) / period));
  const start = first + past * period;
  await network.time.advance(start - now);
  return { kind, start };
}

const LENGTHS: readonly (readonly [string, (right: number) => number])[] = [
  ["one byte less", (right) => right - 1],
  ["one byte more", (right) => right + 1],
  ["none", () => 0],
  ["one onion less", (right) => right / 3 * 2],
  ["one onion more", (right) => right / 3 * 4],
  ["as many as fit", () => 65_535],
];

for (const [name, lengthOf] of LENGTHS) {
  Deno.test(`S3.5: a client that hands in another length (${name}) is out, and the round goes on`, async () => {
    await using network = await Network.of(2);
    const honest = network.join(() => 0.5);
    const bad = network.join();
    const round = await before(network, honest);
    const right = bad.onions(round).length;
    bad.submit(round, randomBytes(lengthOf(right)));
    assert(await bad.over instanceof MalformedError);
    await network.time.advance(2_000);
    assertEquals(honest.told.get(roundName(round)), [{
      done: honest.expected(round),
    }]);
    assertEquals(network.service.status.exchange.last?.onions, 3);
    assertEquals(network.failures, []);
  });
}

Deno.test("S3.5: a client that hands in twice is out, and its first onions change nothing for others", async () => {
  await using network = await Network.of(2);
  const honest = network.join(() => 0.5);
  const bad = network.join();
  const round = await before(network, honest);
  bad.submit(round);
  bad.submit(round);
  assert(await bad.over instanceof MalformedError);
  await network.time.advance(2_000);
  assertEquals(honest.told.get(roundName(round)), [{
    done: honest.expected(round),
  }]);
});

Deno.test("S3.5: onions that come too early or too late are not taken, and the client is told by how much", async () => {
  await using network = await Network.of(1);
  const keeper = network.join(() => 0.5);
  const client = network.join();
  network.join(); // for whom every window stays open
  const round = await before(network, keeper);
  const { period, window } = client.firstOf(EXCHANGE);
  const next = { kind: EXCHANGE, start: round.start + period };
  const table: [number, { late: number } | undefined][] = [
    [-251, { late: 0 }],
    [-250, undefined],
    [0, undefined],
    [window - 1, undefined],
    [window, { late: 0 }],
    [window + 7, { late: 7 }],
  ];
  let start = next.start;
  for (const [after, expected] of table) {
    await network.time.advance(start + after - network.time.now());
    const each = { kind: EXCHANGE, start };
    client.submit(each);
    await network.time.settle();
    assertEquals(
      client.told.get(roundName(each)),
      expected && [expected],
      `${after} ms`,
    );
    await network.time.advance(start + 2 * period - network.time.now());
    if (expected === undefined) {
      assertEquals(client.count("done"), 1, `${after} ms`);
      client.told.clear();
    }
    start += 2 * period;
    await network.time.advance(0);
  }
  assertEquals(network.service.status.exchange.late, 3);
});

Deno.test("S3.5: rounds that do not exist are not there to hand in for", async () => {
  await using network = await Network.of(1);
  const client = network.join();
  const keeper = network.join(() => 0.5);
  const round = await before(network, keeper);
  const onions = client.onions(round);
  const names: [number, bigint][] = [
    [EXCHANGE, BigInt(round.start) + 1n],
    [EXCHANGE, 0n],
    [EXCHANGE, 2n ** 64n - 1n],
    [DIALING, BigInt(round.start) + 2_000_000n],
    [0, BigInt(round.start)],
    [3, BigInt(round.start)],
    [255, BigInt(round.start)],
  ];
  for (const [kind, start] of names) {
    client.link.say(
      new CommandWriter().set(ROUND_KIND, kind).set(ROUND_START, start)
        .set(ONIONS, onions).verb(SUBMIT_ONIONS).done(),
    );
    await network.time.settle();
    assertEquals(client.told.get(`${kind}/${start}`), [{ late: 0 }]);
  }
  assertEquals(client.link.ended, undefined);
});

Deno.test("S3.5: a client that vanishes after it has handed in costs the others nothing", async () => {
  await using network = await Network.of(2);
  const honest = network.join(() => 0.9);
  const gone = [0.1, 0.2, 0.3].map((at) => network.join(() => at));
  const round = await before(network, honest);
  await network.time.advance(600);
  for (const { link } of gone) link.leave();
  await network.time.advance(1_400);
  assertEquals(network.service.status.exchange.last?.onions, 12);
  assertEquals(honest.told.get(roundName(round)), [{
    done: honest.expected(round),
  }]);
  assertEquals(network.service.status.clients, 1);
});

Deno.test("S3.5: a client that stops reading is dropped within seconds, and holds little until then", async () => {
  await using network = await Network.of(1);
  const honest = network.join(() => 0.5);
  const slow = network.join(() => 0.5);
  await network.time.advance(5_000);
  slow.link.reads = false;
  await network.time.advance(25_000);
  assertEquals(slow.link.ended, "aborted");
  assertEquals(network.service.status.clients, 1);
  await network.time.advance(10_000);
  assertEquals(honest.count("failed"), 0);
  assertEquals(network.time.now() - 1_900_000_000_000, 40_000);
  assert(honest.count("done", EXCHANGE) >= 18);
});

Deno.test("S3.5: a client that asks and does not read is asked nothing more, and then dropped", async () => {
  await using network = await Network.of(1);
  network.join(() => 0.5);
  const slow = network.join();
  await network.time.advance(5_000);
  slow.link.reads = false;
  const probe = new CommandWriter().verb(PROBE).done();
  const heard = slow.link.heard.length;
  for (let i = 0; i < 10_000; i++) slow.link.say(probe);
  await network.time.advance(10_000);
  assert(slow.link.heard.length <= heard + 2);
  // Settings of the next run are what it does not take either.
  await network.time.advance(60_000);
  assertEquals(slow.link.ended, "aborted");
});

Deno.test("S3.5: questions are answered at a bounded pace, and never forgotten", async () => {
  await using network = await Network.of(1);
  const client = network.join();
  await network.time.settle();
  const questions = [
    new CommandWriter().verb(PROBE).done(),
    new CommandWriter().verb(HELO).done(),
    new CommandWriter().set(BUCKET, 0).set(ROUND_START, 0n)
      .verb(FETCH_FILTER).done(),
  ];
  const answered = () =>
    client.link.heard.filter(({ verb }) =>
      ["PROBED", "OLEH", "FETCHED-FILTER"].includes(verb.name)
    ).length;
  for (let i = 0; i < 600; i++) client.link.say(questions[i % 3]!);
  await network.time.settle();
  assertEquals(answered(), 100);
  await network.time.advance(5_000);
  assert(answered() >= 300 && answered() <= 355, `${answered()}`);
  await network.time.advance(5_500);
  assertEquals(answered(), 600);
});

Deno.test("S3.5: the clock is told to whoever asks", async () => {
  await using network = await Network.of(1);
  const client = network.join();
  await network.time.advance(777);
  client.link.say(new CommandWriter().verb(PROBE).done());
  await network.time.settle();
  const probed = client.link.heard.at(-1)!;
  assertEquals(probed.verb, PROBED);
  assertEquals(probed.get(CLOCK), BigInt(network.time.now()));
  const joined = client.link.heard[0]!;
  assertEquals(joined.verb.name, "JOINED");
  assertEquals(joined.get(CLOCK), BigInt(network.time.now() - 777));
});

Deno.test("S3.5: no more clients join than there is room for", async () => {
  await using network = await Network.of(1, { clients: 3 });
  const clients = Array.from({ length: 5 }, () => network.join());
  await network.time.settle();
  assertEquals(network.service.status.clients, 3);
  assertEquals(clients.map(({ link }) => link.heard.length > 0), [
    true,
    true,
    true,
    false,
    false,
  ]);
  assertEquals(await clients[4]!.over, undefined);
  clients[0]!.link.leave();
  await network.time.settle();
  network.join();
  await network.time.settle();
  assertEquals(network.service.status.clients, 3);
});

Deno.test("S3.6: filters are there as soon as a dialing round is over, and for whoever comes back later", async () => {
  await using network = await Network.of(2, { dialing: { buckets: 3 } });
  const client = network.join(() => 0.5);
  const ask = async (bucket: number, start: number) => {
    client.link.say(
      new CommandWriter().set(BUCKET, bucket).set(ROUND_START, BigInt(start))
        .verb(FETCH_FILTER).done(),
    );
    await network.time.settle();
    const answer = client.link.heard.at(-1)!;
    assertEquals(answer.verb, FETCHED_FILTER);
    return [answer.get(ROUND_START), answer.get(FILTER)?.length];
  };
  await network.time.advance(1_000);
  assertEquals(await ask(0, 0), [undefined, undefined]);
  const { first } = client.firstOf(DIALING);
  await network.time.advance(first + 6_000 - network.time.now());
  assertEquals(client.count("done", DIALING), 1);
  assertEquals(await ask(0, 0), [BigInt(first), 512]);
  assertEquals(await ask(2, first - 1), [BigInt(first), 512]);
  assertEquals(await ask(3, 0), [BigInt(first), undefined]);
  assertEquals(await ask(0, first), [undefined, undefined]);
  await network.time.advance(40_000);
  assertEquals(await ask(1, first), [BigInt(first + 10_000), 512]);
  assertEquals(network.service.status.filterRounds, 5);
});

/** A piece of what a hostile client sends. */
const PIECES = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => new Uint8Array(bytes)),
  fc.constantFrom(
    ...ROUNDS.verbs.map((verb) => new CommandWriter().verb(verb).done()),
  ),
  fc.record({
    kind: fc.integer({ min: 0, max: 3 }),
    start: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    onions: fc.integer({ min: 0, max: 2_000 }),
  }).map(({ kind, start, onions }) =>
    new CommandWriter().set(ROUND_KIND, kind).set(ROUND_START, start)
      .set(ONIONS, new Uint8Array(onions)).verb(SUBMIT_ONIONS).done()
  ),
  fc.record({
    bucket: fc.integer({ min: 0, max: 0xffff_ffff }),
    start: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }).map(({ bucket, start }) =>
    new CommandWriter().set(BUCKET, bucket).set(ROUND_START, start)
      .verb(FETCH_FILTER).done()
  ),
);

Deno.test("S3.5: garbage at every step, from many clients, disturbs no round of others", async () => {
  await using network = await Network.of(2);
  const honest = network.join(() => 0.5);
  await network.time.advance(3_000);
  let out = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(PIECES, { maxLength: 20 }), async (pieces) => {
      const bad = network.join();
      for (const piece of pieces) {
        bad.link.say(piece);
        await network.time.advance(20);
      }
      if (bad.link.ended === undefined) bad.link.leave();
      if (await bad.over instanceof MalformedError) out++;
    }),
    { numRuns: 200 },
  );
  await network.time.advance(20_000);
  assert(out > 10, `${out} were thrown out`);
  assertEquals(honest.count("failed") + honest.count("late"), 0);
  assert(honest.count("done", EXCHANGE) >= 10);
  assertEquals(network.failures, []);
  assertEquals(network.service.status.clients, 1);
  assertEquals(network.mixes.flatMap(({ broken }) => broken), []);
});

Deno.test("S3.5: joining again on the same connection changes nothing", async () => {
  await using network = await Network.of(1);
  const client = network.join(() => 0.5);
  client.link.say(new CommandWriter().verb(JOIN).done());
  await network.time.advance(10_000);
  assertEquals(network.service.status.clients, 1);
  assert(client.count("done") > 0);
});

Deno.test("S3.5: when the service stops, rounds under way fail, clients hear CLOSE, and nothing is left", async () => {
  await using network = await Network.of(2);
  const client = network.join(() => 0.5);
  network.join(); // for whom every window stays open
  await network.time.advance(8_900);
  assert(network.service.status.inFlight > 0);
  await network.service.stop();
  await network.time.settle();
  assertEquals(client.link.ended, "closed");
  assert(client.count("failed") > 0);
  assertEquals(network.mixes.map(({ rounds }) => rounds), [0, 0]);
  const late = network.join();
  assertEquals(await late.over, undefined);
  assertEquals(network.service.status.inFlight, 0);
});
