import { assert, assertEquals } from "@std/assert";
import { integrity, Network, sleep } from "./network.ts";
import type { Running } from "./network.ts";

/** Kills in one run; the long run is SOTTO_KILLS=100. */
const KILLS = Number(Deno.env.get("SOTTO_KILLS") ?? "8");
const SEED = Number(Deno.env.get("SOTTO_SEED") ?? String(Date.now() % 1e9));

/** Numbers from 0 to below 1 that a seed repeats (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

Deno.test({
  name:
    `S3.4: server, sender and receiver are killed ${KILLS} times at random, and every text that was accepted arrives exactly once`,
  fn: async () => {
    const random = randomOf(SEED);
    await using network = await Network.make();
    const start = {
      server: () => network.server(),
      alice: () => network.spawn("alice", ["client", "chat", "bob"]),
      bob: () =>
        network.spawn("bob", ["client", "inbox", "--follow", "--json"]),
    };
    type Name = keyof typeof start;
    const running = {} as Record<Name, Running>;
    running.server = await start.server();
    try {
      await network.register("alice");
      await network.register("bob");
      running.alice = await start.alice();
      running.bob = await start.bob();
      await sleep(800);
      let written = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const until = performance.now() + 100 + random() * 900;
        while (performance.now() < until) {
          await running.alice.line(`text ${++written}`);
          await sleep(random() * 40);
        }
        const names = Object.keys(start) as Name[];
        const victim = names[Math.floor(random() * names.length)]!;
        await running[victim].kill();
        await sleep(random() * 300);
        running[victim] = await start[victim]();
      }
      // Whoever was started last needs a moment; then all that is queued leaves by itself.
      const sent = await settled(network);
      const texts = sent.map(({ text }) => text);
      assert(texts.length > KILLS, `only ${texts.length} texts were accepted`);
      const arrived = (await network.conversation("bob", "alice"))
        .filter(({ direction }) => direction === "in").map(({ text }) => text);
      assertEquals(arrived.toSorted(), texts.toSorted(), `seed ${SEED}`);
      assertEquals(new Set(arrived).size, arrived.length, `seed ${SEED}`);
    } finally {
      for (const process of Object.values(running)) await process.kill();
    }
    for (const path of network.databases()) assertEquals(integrity(path), "ok");
  },
});

/** Alice's own texts, once each is delivered. */
async function settled(network: Network) {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const own = (await network.conversation("alice", "bob"))
      .filter(({ direction }) => direction === "out");
    const late = own.filter(({ state }) =>
      state !== "delivered" && state !== "read"
    );
    if (late.length === 0) return own;
    if (performance.now() > deadline) {
      throw new Error(
        `${late.length} of ${own.length} texts did not arrive (seed ${SEED}): ${
          JSON.stringify(late.slice(0, 5))
        }`,
      );
    }
    await sleep(500);
  }
}
