import { assert, assertEquals } from "@std/assert";
import { RoundKind, roundName, RunMode } from "../../../lib/mix/round.ts";
import { Network } from "./network.ts";

const EXCHANGE = RoundKind.EXCHANGE;
const DIALING = RoundKind.DIALING;

Deno.test("S3.5: settings come two seconds before the first round, and rounds at multiples of their period", async () => {
  await using network = await Network.of(1);
  await network.time.advance(1_234);
  const client = network.join(() => 0.3);
  await network.time.settle();
  const now = network.time.now();
  const runs = client.settings.map(({ run }) => run);
  assertEquals(runs.map(({ kind }) => kind).sort(), [EXCHANGE, DIALING]);
  for (const { first, period } of runs) {
    assertEquals(first % period, 0);
    assert(first >= now + 2_000 && first < now + 2_000 + period);
  }
});

for (const mixes of [1, 2, 3]) {
  Deno.test(`S3.5: everybody gets exactly the own replies back through ${mixes} mixes, round after round`, async () => {
    await using network = await Network.of(mixes);
    const clients = [0.1, 0.5, 0.9].map((at) => network.join(() => at));
    await network.time.advance(123_000);
    for (const client of clients) {
      assertEquals(client.count("done", EXCHANGE), 60);
      assertEquals(client.count("done", DIALING), 11);
      assertEquals(client.count("failed") + client.count("late"), 0);
      for (const [name, told] of client.told) {
        const [kind, start] = name.split("/").map(Number);
        const round = { kind: kind as RoundKind, start: start! };
        assertEquals(told, [{ done: client.expected(round) }], name);
      }
    }
    assertEquals(network.mixes.flatMap(({ broken }) => broken), []);
    assertEquals(network.failures, []);
    const { exchange, dialing } = network.service.status;
    assertEquals(exchange.done, 60);
    assertEquals(exchange.onions, 540);
    assertEquals(exchange.last?.durations.length, mixes);
    assertEquals(dialing.done, 11);
  });
}

Deno.test("S3.5: runs follow each other without a gap, and are announced eight seconds ahead", async () => {
  await using network = await Network.of(2);
  const client = network.join(() => 0.5);
  await network.time.advance(600_000);
  for (const kind of [EXCHANGE, DIALING]) {
    const runs = client.settings.filter(({ run }) => run.kind === kind);
    assert(runs.length >= 5);
    for (let i = 1; i < runs.length; i++) {
      const [before, { run, at }] = [runs[i - 1]!.run, runs[i]!];
      assertEquals(run.first, before.first + before.count * before.period);
      assert(at <= run.first - 8_000);
    }
  }
});

Deno.test("S3.5: nothing is made while nobody has joined, and rounds go on when somebody comes back", async () => {
  await using network = await Network.of(1);
  await network.time.advance(60_000);
  assertEquals(network.mixes[0]!.prepared, 0);
  const first = network.join(() => 0.5);
  await network.time.advance(20_000);
  assert(first.count("done") > 5);
  first.link.leave();
  await network.time.advance(300_000);
  const { prepared } = network.mixes[0]!;
  await network.time.advance(300_000);
  assertEquals(network.mixes[0]!.prepared, prepared);
  assertEquals(network.time.waiting, 0);
  assertEquals(network.mixes[0]!.rounds, 0);
  const second = network.join(() => 0.5);
  await network.time.advance(20_000);
  assert(second.count("done") > 5);
});

Deno.test("S3.5: whoever joins in the middle of a run gets its settings at once", async () => {
  await using network = await Network.of(1);
  network.join(() => 0.5);
  await network.time.advance(10_500);
  const late = network.join(() => 0.5);
  await network.time.settle();
  const now = network.time.now();
  assert(
    late.settings.some(({ run }) => run.kind === EXCHANGE && run.first < now),
  );
  await network.time.advance(6_000);
  assert(late.count("done", EXCHANGE) >= 2);
});

Deno.test("S3.5: several rounds are in flight when mixes take longer than a round", async () => {
  await using network = await Network.of(3);
  const client = network.join(() => 0.5);
  await network.time.advance(5_000);
  for (const mix of network.mixes) mix.delay = 600;
  let most = 0;
  for (let i = 0; i < 60; i++) {
    await network.time.advance(500);
    most = Math.max(most, network.service.status.inFlight);
  }
  assert(most >= 2, `${most} in flight`);
  assertEquals(client.count("failed"), 0);
  assert(client.count("done", EXCHANGE) >= 13);
});

Deno.test("S3.5: a round of circuits sets them up with empty onions, dialing included", async () => {
  await using network = await Network.of(2, { mode: RunMode.CIRCUITS });
  const client = network.join(() => 0.5);
  await network.time.advance(90_000);
  assert(client.count("done", EXCHANGE) >= 40);
  assert(client.count("done", DIALING) >= 6);
  assertEquals(client.count("failed"), 0);
  const { dialing, filterRounds } = network.service.status;
  // Nobody is called in a round that sets up circuits.
  assertEquals(filterRounds, dialing.done - 1);
  const run = client.firstOf(EXCHANGE);
  const [setUp, later] = [0, 1].map((index) =>
    client.sent.get(
      roundName({ kind: run.kind, start: run.first + index * run.period }),
    )!.length
  );
  assertEquals(setUp, 3 * 2 * 48);
  assertEquals(later, 3 * (512 + 2 * 32));
});

Deno.test("S3.5: onions reach the first mix while the window is open, and the next ones in amounts of 64 KiB", async () => {
  await using network = await Network.of(2, { exchange: { slots: 40 } });
  for (let i = 0; i < 6; i++) network.join(() => 0.2);
  network.join(); // for whom every window stays open
  await network.time.settle();
  const { first, window } = network.clients[0]!.firstOf(EXCHANGE);
  await network.time.advance(first + window * 0.5 - network.time.now());
  assertEquals(network.mixes[0]!.amounts, Array(6).fill(40 * 608));
  assertEquals(network.mixes[1]!.amounts, []);
  await network.time.advance(window * 0.6);
  const amounts = network.mixes[1]!.amounts;
  assertEquals(amounts.reduce((a, b) => a + b), 240 * 560);
  assert(amounts.every((each) => each <= 65_536 && each % 560 === 0));
});

Deno.test("S3.5: all are answered at one moment, in the order in which they joined", async () => {
  await using network = await Network.of(2);
  const heard: { who: number; at: number }[] = [];
  const at = [0.9, 0.1, 0.5, 0.3];
  at.forEach((each, who) => {
    const { link } = network.join(() => each);
    const { onMessage } = link;
    link.onMessage = (message) => {
      onMessage(message);
      if (message.verb.name === "ROUND-DONE") {
        heard.push({ who, at: network.time.now() });
      }
    };
  });
  network.mixes[1]!.delay = 70;
  await network.time.advance(5_300);
  const [first] = heard;
  assertEquals(
    heard.slice(0, 4),
    [0, 1, 2, 3].map((who) => ({ who, at: first!.at })),
  );
});
