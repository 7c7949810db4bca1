import { assert, assertEquals, assertGreater } from "@std/assert";
import { CuttingProxy } from "./cutting_proxy.ts";
import { Network, sleep } from "./network.ts";
import type { Running, Shown } from "./network.ts";

/** Time for something that comes by itself, in milliseconds. */
const PATIENCE = 40_000;

/** The texts that `client inbox --json` has printed. */
function shownBy(running: Running): string[] {
  return running.lines().map((line) => (JSON.parse(line) as Shown).text);
}

async function until(reached: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE;
  while (!reached()) {
    if (performance.now() > deadline) throw new Error(`Not reached: ${what}`);
    await sleep(20);
  }
}

/** Server, proxy, Alice and Bob, who both go through the proxy. */
async function withProxy(
  body: (
    network: Network,
    proxy: CuttingProxy,
    start: (running: Promise<Running>) => Promise<Running>,
  ) => Promise<void>,
): Promise<void> {
  await using network = await Network.make();
  await using proxy = new CuttingProxy(network.port);
  const started: Running[] = [];
  const start = async (starting: Promise<Running>) => {
    const running = await starting;
    started.push(running);
    return running;
  };
  try {
    await start(network.server());
    await network.register("alice", proxy.port);
    await network.register("bob", proxy.port);
    await body(network, proxy, start);
  } finally {
    for (const running of started) await running.kill();
  }
}

Deno.test("S0.6: connections that are cut in the middle of records come back by themselves and lose nothing", async () => {
  await withProxy(async (network, proxy, start) => {
    const follower = await start(
      network.spawn("bob", ["client", "inbox", "--follow", "--json"]),
    );
    // Enough for some pushes and submissions, for one, or not even for a login.
    proxy.budget = () => 1_000 + Math.floor(150_000 * Math.random() ** 2);
    const writer = await start(
      network.script("alice", "writes_texts", ["bob@local", "text"]),
    );
    const written = () =>
      writer.lines().filter((line) => line.startsWith("saved "));
    await until(() => proxy.cuts >= 8, "eight cuts");
    // By now what waits may be more than these carry, and would never get through.
    proxy.budget = () => Infinity;
    await until(() => shownBy(follower).length > 20, "some texts");
    await writer.kill();
    proxy.cutAll();
    // What the writer has left behind leaves with the next command.
    const sent = (await network.conversation("alice", "bob"))
      .filter(({ direction }) => direction === "out");
    const texts = sent.map(({ text }) => text);
    assertGreater(written().length, 20);
    for (const line of written()) {
      assert(texts.includes(line.slice("saved ".length)), line);
    }
    await until(() => shownBy(follower).length >= texts.length, "every text");
    assertEquals(shownBy(follower), texts);
  });
});

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  Deno.test(`S1.5: whoever follows comes back after the server has ended by ${signal}, and what was stored is there`, async () => {
    await using network = await Network.make();
    let server = await network.server();
    const follower = { running: undefined as Running | undefined };
    try {
      await network.register("alice");
      await network.register("bob");
      const bob = await network.spawn("bob", [
        "client",
        "inbox",
        "--follow",
        "--json",
      ]);
      follower.running = bob;
      await network.run("alice", ["client", "send", "bob", "one"]);
      await until(() => shownBy(bob).length === 1, "the first text");
      await server.kill(signal);
      await sleep(300);
      server = await network.server();
      await network.run("alice", ["client", "send", "bob", "two"]);
      await until(() => shownBy(bob).length === 2, "the second text");
      assertEquals(shownBy(bob), ["one", "two"]);
    } finally {
      await follower.running?.kill();
      await server.kill();
    }
  });
}
