import { assert, assertEquals } from "@std/assert";
import { integrity, Network, sleep } from "./network.ts";
import type { Running, Shown } from "./network.ts";

/** Kills in one run; the long run is SOTTO_KILLS=100. */
const KILLS = Number(Deno.env.get("SOTTO_KILLS") ?? "8");
/** What is killed, and roughly when. A failure tells it. */
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

type Name = "server" | "writer" | "reader";

/** Server, writer and reader, which die and come back, and all that they ever printed. */
class Lives {
  readonly #network: Network;
  readonly #running = new Map<Name, Running>();
  readonly #over: { readonly name: Name; readonly lines: string[] }[] = [];

  constructor(network: Network) {
    this.#network = network;
  }

  async start(name: Name): Promise<void> {
    this.#running.set(name, await this.#spawn(name));
  }

  async kill(name: Name): Promise<void> {
    const running = this.#running.get(name)!;
    await running.kill();
    this.#over.push({ name, lines: running.lines() });
    this.#running.delete(name);
  }

  async killAll(): Promise<void> {
    for (const name of [...this.#running.keys()]) await this.kill(name);
  }

  /** What each life of a process has printed. */
  printedBy(wanted: Name): string[][] {
    return this.#over.filter(({ name }) => name === wanted)
      .map(({ lines }) => lines);
  }

  #spawn(name: Name): Promise<Running> {
    const network = this.#network;
    switch (name) {
      case "server":
        return network.server();
      case "writer":
        return network.script("alice", "writes_texts", [
          "bob@local",
          `life ${this.#over.length}, text`,
        ]);
      case "reader":
        return network.spawn("bob", ["client", "inbox", "--follow", "--json"]);
    }
  }
}

Deno.test({
  name:
    `S3.4: server, writer and reader are killed ${KILLS} times at random, and every text that was called stored arrives exactly once, in order`,
  fn: async () => {
    const random = randomOf(SEED);
    await using network = await Network.make();
    const lives = new Lives(network);
    try {
      await lives.start("server");
      await network.register("alice");
      await network.register("bob");
      await lives.start("writer");
      await lives.start("reader");
      await sleep(1_500);
      for (let kill = 0; kill < KILLS; kill++) {
        await sleep(100 + random() * 1_000);
        const names = ["server", "writer", "reader"] as const;
        const victim = names[Math.floor(random() * names.length)]!;
        await lives.kill(victim);
        await sleep(random() * 300);
        await lives.start(victim);
      }
      await sleep(1_000);
      await lives.kill("writer");
      const written = await settled(network);
      await lives.killAll();
      await lives.start("server");
      check(lives, written, await network.conversation("bob", "alice"));
    } catch (error) {
      throw new Error(`It went wrong with the seed ${SEED}`, { cause: error });
    } finally {
      await lives.killAll();
    }
    for (const path of network.databases()) assertEquals(integrity(path), "ok");
  },
});

/**
 * @param written Alice's own texts, each of which should have arrived.
 * @param conversation as Bob has it.
 */
function check(
  lives: Lives,
  written: readonly Shown[],
  conversation: readonly Shown[],
): void {
  const sent = written.map(({ text }) => text);
  const arrived = conversation.filter(({ direction }) => direction === "in")
    .map(({ text }) => text);
  // Exactly once and in the order of writing, for one process writes at a time.
  assertEquals(arrived, sent);
  assertEquals(new Set(arrived).size, arrived.length);

  // What the writer was promised before it was killed, by its own vault and by the server.
  const there = new Set(arrived);
  const claims = lives.printedBy("writer").flat();
  const count = { saved: 0, stored: 0 };
  for (const claim of claims) {
    const [, promise, text] = /^(saved|stored) (.*)$/.exec(claim)!;
    count[promise as "saved" | "stored"]++;
    assert(there.has(text!), `${claim}, and is not there`);
  }
  const least = 5 * KILLS;
  assert(
    count.saved > least && count.stored > least,
    `too few to prove anything: ${JSON.stringify(count)}`,
  );

  // No life of the reader shows a text twice, or one that was not written.
  for (const lines of lives.printedBy("reader")) {
    const shown = lines.map((line) => (JSON.parse(line) as Shown).text);
    assertEquals(new Set(shown).size, shown.length, "shown twice");
    for (const text of shown) assert(there.has(text), "shown and not kept");
  }
}

/** Alice's own texts, once each is delivered. */
async function settled(network: Network): Promise<Shown[]> {
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
        `${late.length} of ${own.length} texts did not arrive: ${
          JSON.stringify(late.slice(0, 5))
        }`,
      );
    }
    await sleep(500);
  }
}
