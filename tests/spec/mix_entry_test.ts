import { assert, assertEquals, assertRejects } from "@std/assert";
import type { CoordinatorOptions } from "../../lib/mix/coordinator/coordinator.ts";
import { MixService } from "../../lib/mix/coordinator/mix_service.ts";
import type { MixPeer } from "../../lib/mix/mix_peer.ts";
import { MixError } from "../../lib/mix/mix_error.ts";
import { MixNode } from "../../lib/mix/node/mix_node.ts";
import { VirtualTimers } from "../support/virtual_timers.ts";
import { freshNodeKeyring, testNodeKeyring } from "../support/keyrings.ts";
import { testServer } from "../support/server.ts";
import { need } from "./naive_connection.ts";
import { filterHas, filterOf, KIND, MODE } from "./naive_mix.ts";
import { dialPayload, NaiveParticipant, nameOf } from "./naive_participant.ts";
import { random } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

const NOW = 1_900_000_000_123;
const NOISE = { mean: 4, scale: 2 };
const EMPTY: Octets = new Uint8Array(0);
/** How long a test may wait in all, in milliseconds. */
const PATIENCE = 60_000;

const FIRST = await testNodeKeyring();
const SECOND = await freshNodeKeyring();

/** A server of ours with rounds through two mixes; its time passes when a test says so. */
async function entry(
  options: Partial<CoordinatorOptions> = {},
  broken?: (node: MixNode) => MixPeer,
) {
  const timers = new VirtualTimers(NOW);
  const coordinator = FIRST.certificate.fingerprint;
  const nodes = [FIRST, SECOND].map((keyring) =>
    new MixNode({ keyring, coordinator, noise: () => NOISE, timers })
  );
  const chain = [nodes[0]!, broken?.(nodes[1]!) ?? nodes[1]!];
  const service = new MixService({
    identity: FIRST.certificate,
    chain: () => Promise.resolve(chain),
    dialing: { buckets: 7 },
    timers,
    ...options,
  });
  const server = await testServer({ node: FIRST, guests: [service] });
  const clients: NaiveParticipant[] = [];
  // Whoever waits for what never comes is told.
  const watchdog = setTimeout(() => {
    for (const { connection } of clients) connection.drop();
  }, PATIENCE);
  const keyOf = (fingerprint: Octets) =>
    [FIRST, SECOND].map(({ certificate }) => certificate)
      .find((each) => each.fingerprint.toHex() === fingerprint.toHex())
      ?.signingKey;
  return {
    timers,
    async join() {
      const socket = await server.dial();
      const { dhKey } = FIRST.certificate;
      const client = await NaiveParticipant.join(socket, dhKey, keyOf);
      clients.push(client);
      return client;
    },
    /** Lets time pass until then. */
    until(time: number) {
      timers.pass(time - timers.now());
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(watchdog);
      for (const { connection } of clients) connection.drop();
      await service.stop();
      for (const node of nodes) await node.stop();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test("SPEC.md §13.10: two of the text meet at a drop behind two mixes of ours, in every round of a run; who is alone gets its own back", async () => {
  for (const mode of [MODE.rounds, MODE.circuits]) {
    await using world = await entry({ mode });
    const [alice, bob] = [await world.join(), await world.join()];
    assertEquals(alice.clock, world.timers.now());
    assertEquals(await alice.probe(), world.timers.now());
    const settings = await alice.announced(KIND.exchange);
    assertEquals(await bob.announced(KIND.exchange), settings);
    const { first, period, window, slots, count, mixes, coordinator } =
      settings;
    assertEquals([period, window, slots, count], [2_000, 1_200, 3, 15]);
    assertEquals([settings.mode, first % period], [mode, 0]);
    assertEquals(coordinator, FIRST.certificate.fingerprint);
    assertEquals(
      mixes.map(({ fingerprint, mean, scale }) => [fingerprint, mean, scale]),
      [FIRST, SECOND].map(({ certificate }) => [certificate.fingerprint, 4, 2]),
    );
    for (let index = 0; index < 4; index++) {
      world.until(first + index * period);
      const setsUp = mode === MODE.circuits && index === 0;
      const payloads = [alice, bob].map(() =>
        [0, 1, 2].map(() => setsUp ? EMPTY : random(512))
      );
      // At one drop: the second of one, and the last of the other.
      if (!setsUp) payloads[1]![2]!.set(payloads[0]![1]!.slice(0, 16));
      const round = await alice.submit(settings, index, payloads[0]!);
      // Nobody else has joined: it closes with this.
      await bob.submit(settings, index, payloads[1]!);
      const at = mode === MODE.circuits ? index : 0;
      const replies = [await alice.done(round, at), await bob.done(round, at)];
      const expected = payloads.map((each) =>
        each.map((payload) => payload.slice(16))
      );
      const [a, b] = [expected[0]![1]!, expected[1]![2]!];
      [expected[0]![1], expected[1]![2]] = [b, a];
      assertEquals(replies, expected);
    }
  }
});

Deno.test("SPEC.md §13.8: a token of the text is found in the filter of its bucket, and in no other one", async () => {
  for (const mode of [MODE.rounds, MODE.circuits]) {
    await using world = await entry({ mode });
    const [alice, bob] = [await world.join(), await world.join()];
    const settings = await alice.announced(KIND.dialing);
    const { first, period, window, slots, buckets } = settings;
    assertEquals([period, window, slots, buckets], [10_000, 6_000, 1, 7]);
    assertEquals(await bob.filter(3, 0), undefined);
    for (let index = 0; index < 3; index++) {
      const start = first + index * period;
      // There is nothing to be heard of the round that sets up.
      const setsUp = mode === MODE.circuits && index === 0;
      world.until(start);
      const token = random(32);
      const payload = setsUp ? EMPTY : dialPayload(3, token);
      const round = await alice.submit(settings, index, [payload]);
      const cover = setsUp ? EMPTY : dialPayload(0xffff_ffff, random(32));
      await bob.submit(settings, index, [cover]);
      assertEquals(await alice.done(round), undefined);
      assertEquals(await bob.done(round), undefined);
      const fetched = await bob.filter(3, start - 1);
      if (setsUp) {
        assertEquals(fetched, undefined);
        continue;
      }
      assertEquals(fetched!.start, start);
      assert(filterHas(fetched!.filter, token));
      assert(!filterHas(fetched!.filter, random(32)));
      assert(!filterHas((await bob.filter(4, start - 1))!.filter, token));
      assertEquals(fetched!.filter.length, filterOf([token]).length);
      assertEquals(await bob.filter(3, start), undefined);
    }
  }
});

Deno.test("SPEC.md §13.10: what is late is told so, and the next round goes on", async () => {
  await using world = await entry();
  const alice = await world.join();
  const settings = await alice.announced(KIND.exchange);
  const { first, window } = settings;
  const payloads = [0, 1, 2].map(() => random(512));
  world.until(first + window + 300);
  const late = await alice.submit(settings, 0, payloads);
  const told = await alice.next();
  assertEquals(told.verb, "ROUND-LATE");
  assertEquals(nameOf(told), `${late.kind} ${late.start}`);
  assertEquals(need<number>(told, "LATE-BY"), 300);
  world.until(first + settings.period);
  const round = await alice.submit(settings, 1, payloads);
  assertEquals(await alice.done(round), payloads.map((each) => each.slice(16)));
});

Deno.test("SPEC.md §13.10: another number of onions, another length, or a second time, and the connection ends", async () => {
  await using world = await entry();
  const [first] = [await world.join()];
  const settings = await first.announced(KIND.exchange);
  world.until(settings.first);
  const size = 512 + 2 * 48;
  for (
    const length of [0, size, 2 * size, 3 * size - 1, 3 * size + 1, 4 * size]
  ) {
    const client = await world.join();
    const round = { kind: KIND.exchange, start: settings.first };
    await client.send(round, random(length));
    await assertRejects(() => client.probe(), Error, undefined, `${length}`);
  }
  const payloads = [0, 1, 2].map(() => random(512));
  const twice = await world.join();
  await twice.submit(settings, 0, payloads);
  await twice.probe();
  await twice.submit(settings, 0, payloads);
  await assertRejects(() => twice.probe());
  // Others are none the worse for it.
  const round = await first.submit(settings, 0, payloads);
  assertEquals(await first.done(round), payloads.map((each) => each.slice(16)));
});

Deno.test("SPEC.md §13.10: a round that a mix has failed is told with the place of the mix", async () => {
  await using world = await entry({}, (node) => ({
    identity: node.identity,
    prepare: (run) => node.prepare(run),
    sign: (settings) => node.sign(settings),
    add: (round, onions) => node.add(round, onions),
    close: () =>
      Promise.reject(new MixError("ERR_MIX_REFUSED", "Cannot go on")),
    answer: (round, replies) => node.answer(round, replies),
    abort: (round) => node.abort(round),
  }));
  const alice = await world.join();
  const settings = await alice.announced(KIND.exchange);
  world.until(settings.first);
  const round = await alice.submit(
    settings,
    0,
    [0, 1, 2].map(() => random(512)),
  );
  const told = await alice.next();
  assertEquals(told.verb, "ROUND-FAILED");
  assertEquals(nameOf(told), `${round.kind} ${round.start}`);
  assertEquals(need<number>(told, "FAULT-PLACE"), 1);
});
