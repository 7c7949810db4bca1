import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { openLog } from "../../../cmd/node_log.ts";
import { MixChain } from "../../../cmd/server/mix_chain.ts";
import type { MixChainOptions } from "../../../cmd/server/mix_chain.ts";
import { FLAG_MIX } from "../../../lib/directory/mod.ts";
import type { ConsensusRelay, Directory } from "../../../lib/directory/mod.ts";
import type { NodeKeyring } from "../../../lib/identity/mod.ts";
import { MixError, NOISE_LEVELS } from "../../../lib/mix/mod.ts";
import type { MixPeer } from "../../../lib/mix/mod.ts";
import { MixPlace } from "../../hostile/mix_place.ts";
import { VirtualTime } from "../../mix/virtual_time.ts";
import { freshNodeKeyring } from "../../support/keyrings.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import { testIo } from "../../support/test_io.ts";

/** Relays that are mixes, and a server that finds its chain among them. */
class World implements AsyncDisposable {
  readonly places: readonly MixPlace[];
  readonly chain: MixChain;
  /** Which relays were dialled, by number, in that order. */
  readonly dialled: number[] = [];
  readonly io = testIo();
  refreshed = 0;
  readonly #time: VirtualTime;
  readonly #relays: readonly ConsensusRelay[];

  private constructor(
    keyrings: readonly NodeKeyring[],
    node: NodeKeyring,
    options: Partial<MixChainOptions> & { readonly ahead?: number },
  ) {
    this.#time = new VirtualTime(Date.now() + (options.ahead ?? 0));
    this.places = keyrings.map((keyring) =>
      new MixPlace(keyring, NOISE_LEVELS.none, this.#time)
    );
    this.#relays = keyrings.map(({ certificate }) => ({
      descriptor: {
        identity: certificate,
        address: { host: "127.0.0.1", port: 1 },
        family: [],
      },
      flags: FLAG_MIX,
    } as unknown as ConsensusRelay));
    const directory = {
      consensus: () => Promise.resolve({ relays: this.#relays }),
      refresh: () => Promise.reject(new Error(`no ${++this.refreshed}`)),
    } as unknown as Directory;
    this.chain = new MixChain({
      node,
      directory,
      count: 2,
      named: undefined,
      dial: (relay) => {
        const at = this.#relays.indexOf(relay);
        this.dialled.push(at);
        return this.places[at]!.connect();
      },
      draw: (limit) => limit - 1,
      log: openLog(this.io, {
        "log-level": undefined,
        "log-format": undefined,
      }),
      ...options,
    });
  }

  static async of(
    mixes: number,
    options: (prints: readonly NodeKeyring[]) =>
      & Partial<MixChainOptions>
      & { readonly ahead?: number } = () => ({}),
  ): Promise<World> {
    const making = Array.from({ length: mixes }, freshNodeKeyring);
    const keyrings = await Promise.all(making);
    return new World(keyrings, await freshNodeKeyring(), options(keyrings));
  }

  /** The numbers of the relays in a chain. */
  numbers(peers: readonly MixPeer[]): number[] {
    return peers.map(({ identity }) =>
      this.places.findIndex(({ keyring }) => keyring.certificate === identity)
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.chain.close();
    await Promise.all(this.places.map((place) => place.kill()));
    this.#time[Symbol.dispose]();
  }
}

Deno.test("mix chain: it is chosen once, and shared by all who ask", async () => {
  await using world = await World.of(3);
  const { chain } = world;
  const [first, second] = await Promise.all([chain.current(), chain.current()]);
  assertEquals(world.numbers(first), [0, 1]);
  assertEquals(second, first);
  assertEquals(await chain.current(), first);
  assertEquals(world.dialled, [0, 1]);
  assertMatch(world.io.err, / info {2}chain of mixes mixes=3\n$/);
});

Deno.test("mix chain: another mix takes the place of one that is gone", async () => {
  await using world = await World.of(3);
  const { chain, places } = world;
  await chain.current();
  await places[0]!.kill();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const peers = await chain.current();
  assertEquals(world.numbers(peers), [1, 2]);
  assertMatch(world.io.err, / chain has changed mixes=3\n$/);
  // One that did not answer is not asked again at once.
  places[0]!.start();
  assertEquals(world.numbers(await chain.current()), [1, 2]);
  assertEquals(world.dialled, [0, 1, 0, 2]);
});

Deno.test("mix chain: without enough mixes there is none", async () => {
  await using world = await World.of(2);
  await world.places[1]!.kill();
  const { code } = await assertRejects(
    () => world.chain.current(),
    MixError,
    "Cannot reach a mix",
  );
  assertEquals(code, "ERR_MIX_GONE");
  world.places[1]!.start();
  assertEquals(world.numbers(await world.chain.current()), [0, 1]);

  await using few = await World.of(1);
  await assertRejects(
    () => few.chain.current(),
    MixError,
    "Cannot find mixes: 1 of 2 are listed, of different owners and networks",
  );
  assertEquals([few.refreshed, few.dialled], [1, []]);

  await using stranger = await World.of(2, ([first]) => ({
    named: [first!.certificate.fingerprint, new Uint8Array(32)],
  }));
  await assertRejects(
    () => stranger.chain.current(),
    MixError,
    "Cannot find mixes: 1 of 2 are listed, by the names given",
  );
});

Deno.test("mix chain: mixes that answer again keep their places", async () => {
  let drawn = 0;
  await using world = await World.of(2, () => ({
    draw: (limit) => drawn++ % limit,
  }));
  const { chain, places } = world;
  for (const place of places) await place.kill();
  await assertRejects(() => chain.current(), MixError, "Cannot reach a mix");
  for (const place of places) place.start();
  const first = world.numbers(await chain.current());
  for (let run = 0; run < 4; run++) {
    assertEquals(world.numbers(await chain.current()), first);
  }
});

Deno.test("mix chain: mixes that are named stand in that order, and nobody takes their place", async () => {
  await using world = await World.of(3, (keyrings) => ({
    named: [keyrings[2]!, keyrings[0]!]
      .map(({ certificate }) => certificate.fingerprint),
  }));
  const { chain, places } = world;
  assertEquals(world.numbers(await chain.current()), [2, 0]);
  await places[0]!.kill();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await assertRejects(() => chain.current(), MixError, "Cannot reach a mix");
  assert(!world.dialled.includes(1), "it asked somebody else");
  places[0]!.start();
  assertEquals(world.numbers(await chain.current()), [2, 0]);
});

Deno.test("mix chain: a mix whose clock is off is told of, without its name", async () => {
  await using world = await World.of(2, () => ({ ahead: 60_000 }));
  await world.chain.current();
  const [, ms = ""] = /warn {2}the clock of a mix is off ms=(\d+)\n/
    .exec(world.io.err) ?? [];
  assert(Math.abs(Number(ms) - 60_000) < 5_000, world.io.err);
});

Deno.test("mix chain: a server that stops does not wait for mixes that say nothing", async () => {
  const silent = memoryConnection();
  let dialled = 0;
  await using world = await World.of(3, () => ({
    dial: (_, stop) => {
      // The second one does not even take the call.
      if (dialled++ === 0) return Promise.resolve(silent.left);
      return new Promise((_, reject) =>
        stop.addEventListener("abort", () => reject(stop.reason))
      );
    },
  }));
  const finding = assertRejects(() => world.chain.current(), MixError);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const began = performance.now();
  await world.chain.close();
  await finding;
  assert(performance.now() - began < 2_000, "it waited");
  assertEquals(dialled, 2);
});
