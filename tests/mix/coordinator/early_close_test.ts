import { assert, assertEquals } from "@std/assert";
import { RoundKind, roundName } from "../../../lib/mix/round.ts";
import type { RoundId } from "../../../lib/mix/round.ts";
import { MalformedError } from "../../../lib/protocol/mod.ts";
import type { FakeClient } from "./fake_client.ts";
import { Network } from "./network.ts";

const KIND = RoundKind.EXCHANGE;
const WINDOW = 1_200;
const PERIOD = 2_000;

/** A network in which so many have joined who hand in only when told to, and its first round. */
async function opened(
  clients: number,
): Promise<{ network: Network; all: FakeClient[]; round: RoundId }> {
  const network = await Network.of(2);
  const all = Array.from({ length: clients }, () => network.join());
  await network.time.settle();
  const { first, window, period } = all[0]!.firstOf(KIND);
  assertEquals([window, period], [WINDOW, PERIOD]);
  return { network, all, round: { kind: KIND, start: first } };
}

/** Time passes until so many milliseconds after the start of a round. */
async function until(
  network: Network,
  { start }: RoundId,
  after: number,
): Promise<void> {
  await network.time.advance(start + after - network.time.now());
}

function isDone(client: FakeClient, round: RoundId): boolean {
  const told = client.told.get(roundName(round));
  if (told === undefined) return false;
  assertEquals(told, [{ done: client.expected(round) }]);
  return true;
}

Deno.test("S3.5: a round closes as soon as everybody who has joined has handed in", async () => {
  const { network, all, round } = await opened(3);
  await using _ = network;
  const { waiting } = network.time;
  for (const [turn, client] of all.entries()) {
    await until(network, round, 100 * turn);
    assert(!isDone(all[0]!, round));
    client.submit(round);
  }
  await network.time.settle();
  assert(all.every((client) => isDone(client, round)));
  assertEquals(network.service.status.inFlight, 0);
  assertEquals(network.time.waiting, waiting);
  await until(network, round, PERIOD);
  const next = { kind: KIND, start: round.start + PERIOD };
  for (const client of all) client.submit(next);
  await network.time.settle();
  assert(all.every((client) => isDone(client, next)));
  assertEquals(network.service.status.exchange.onions, 18);
  assertEquals(network.failures, []);
});

Deno.test("S3.5: whoever has joined is waited for until the last moment of the window", async () => {
  const { network, all: [first, last], round } = await opened(2);
  await using _ = network;
  await until(network, round, 0);
  first!.submit(round);
  await until(network, round, WINDOW - 1);
  assert(!isDone(first!, round));
  last!.submit(round);
  await network.time.settle();
  assert(isDone(first!, round) && isDone(last!, round));
});

Deno.test("S3.5: a round closes at the end of its window, whoever is missing", async () => {
  const { network, all: [first], round } = await opened(2);
  await using _ = network;
  await until(network, round, 0);
  first!.submit(round);
  await until(network, round, WINDOW - 1);
  assert(!isDone(first!, round));
  await until(network, round, WINDOW);
  assert(isDone(first!, round));
});

Deno.test("S3.5: a round does not close before its start, so that nobody who joins until then misses it", async () => {
  const { network, all, round } = await opened(2);
  await using _ = network;
  await until(network, round, -250);
  for (const client of all) client.submit(round);
  await until(network, round, -1);
  const late = network.join();
  await until(network, round, 900);
  assert(all.every((client) => !isDone(client, round)));
  late.submit(round);
  await network.time.settle();
  assert([...all, late].every((client) => isDone(client, round)));
  assertEquals(network.service.status.exchange.onions, 9);
});

Deno.test("S3.5: whoever joins while a round is open can be in it; after that it is late, and in the next one", async () => {
  const { network, all: [client], round } = await opened(1);
  await using _ = network;
  await until(network, round, -1);
  const inside = network.join();
  await until(network, round, 10);
  client!.submit(round);
  await until(network, round, 500);
  assert(!isDone(client!, round));
  inside.submit(round);
  await until(network, round, 600);
  assert(isDone(client!, round) && isDone(inside, round));
  const outside = network.join();
  await network.time.settle();
  outside.submit(round);
  await until(network, round, WINDOW + 7);
  // It has come in time for all that it could know, and need not hurry.
  assertEquals(outside.told.get(roundName(round)), [{ late: 0 }]);
  assertEquals(network.service.status.exchange.late, 1);
  assertEquals(network.service.status.exchange.onions, 6);
  const next = { kind: KIND, start: round.start + PERIOD };
  await until(network, next, 0);
  for (const each of [client!, inside, outside]) each.submit(next);
  await network.time.settle();
  for (const each of [client!, inside, outside]) assert(isDone(each, next));
});

Deno.test("S3.5: whoever has handed in and left does not stand for one who is still to hand in", async () => {
  const { network, all: [gone, first, last], round } = await opened(3);
  await using _ = network;
  await until(network, round, 0);
  gone!.submit(round);
  await network.time.settle();
  gone!.link.leave();
  await network.time.settle();
  first!.submit(round);
  await until(network, round, 700);
  assert(!isDone(first!, round));
  last!.submit(round);
  await network.time.settle();
  assert(isDone(first!, round) && isDone(last!, round));
  assertEquals(network.service.status.exchange.onions, 9);
});

Deno.test("S3.5: whoever left without handing in is not waited for", async () => {
  const { network, all: [gone, first, last], round } = await opened(3);
  await using _ = network;
  await until(network, round, 0);
  first!.submit(round);
  await network.time.settle();
  gone!.link.leave();
  await until(network, round, 400);
  last!.submit(round);
  await network.time.settle();
  assert(isDone(first!, round) && isDone(last!, round));
});

for (const [name, after] of [["under way", 300], ["answered", 0]] as const) {
  Deno.test(`S3.5: a client that hands in twice is out, even if the round is closed and ${name}`, async () => {
    const { network, all: [client, bad], round } = await opened(2);
    await using _ = network;
    network.mixes[1]!.delay = after;
    await until(network, round, 0);
    client!.submit(round);
    bad!.submit(round);
    await network.time.advance(100);
    assertEquals(isDone(client!, round), after === 0);
    bad!.submit(round);
    assert(await bad!.over instanceof MalformedError);
    await until(network, round, WINDOW);
    assert(isDone(client!, round));
    assertEquals(network.service.status.exchange.onions, 6);
  });
}
