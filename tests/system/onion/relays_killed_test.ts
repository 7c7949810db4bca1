import { assert, assertEquals, assertMatch } from "@std/assert";
import { quietPort } from "../../../tools/quiet_port.ts";
import { Random } from "../../hostile/random.ts";
import { curl, curlMissing, startCurl } from "./curl.ts";
import { Destination, sumOfFile } from "./destination.ts";
import { loopback } from "./machine.ts";
import { allOn, OnionNetwork } from "./onion_network.ts";
import { testUnless } from "./test_unless.ts";

const HERE = loopback();
/** Kills of relays under one transfer; more by hand. */
const KILLS = Number(Deno.env.get("SOTTO_RELAY_KILLS") ?? 4);
/** Set it to the seed of a failure to see that again. */
const SEED = Number(
  Deno.env.get("SOTTO_RELAY_SEED") ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);
const MIB = 1_048_576;
const RATE = MIB;
const RELAYS = 5;
/** How soon whoever uses a stream must be told that its circuit is gone, in milliseconds. */
const AT_ONCE = 2_000;

Deno.test(`S4.8: relays of its circuits are killed ${KILLS} times during a fetch, which ends with the same bytes`, async () => {
  const random = new Random(SEED);
  const port = quietPort();
  const size = (3 + 2 * KILLS) * RATE;
  await using destination = await Destination.start(HERE, port, size);
  await using network = await OnionNetwork.raise(allOn(HERE, RELAYS));
  const path = `${network.directory}/fetched`;
  const fetching = await network.start([
    ...["client", "fetch", "--controller", network.address, "--resume"],
    ...["--retries", "20", "--output", path],
    `http://${HERE.host}:${port}/file?rate=${RATE}`,
  ]);
  try {
    for (let kills = 0; kills < KILLS; kills++) {
      const circuit = await usedPath(network);
      await sleep(random.below(1_000));
      const victim = circuit[random.below(circuit.length)]!;
      const relay = network.relays[victim]!;
      await relay.stop();
      await sleep(random.below(500));
      await relay.start();
    }
    const { code, stderr } = await fetching.ending();
    const said = new TextDecoder().decode(stderr);
    assertEquals(code, 0, `seed ${SEED}: ${said}`);
    assertEquals(await sumOfFile(path), destination.sum);
    // Otherwise nothing was killed that mattered.
    const { length } = destination.requests;
    assert(length > 1, `seed ${SEED}: ${length} requests`);
  } finally {
    fetching.kill();
    await fetching.ending();
  }
});

testUnless(
  curlMissing,
  "S4.2, S4.3, S4.5: a stream fails at once when a relay of its circuit dies, wherever it is, the next takes another way, and the relay is listed again when it is back",
  async () => {
    const port = quietPort();
    await using destination = await Destination.start(HERE, port, 9 * MIB);
    await using network = await OnionNetwork.raise(allOn(HERE, RELAYS));
    const { address } = await network.proxy();
    const url = `http://${HERE.host}:${port}`;
    for (const position of [2, 1, 0]) {
      const stream = startCurl(HERE, [
        ...["--socks5-hostname", address, "--fail"],
        ...["--output", "/dev/null", `${url}/file?rate=100000`],
      ]);
      const circuit = await usedPath(network);
      await sleep(500);
      const victim = circuit[position]!;
      const killed = performance.now();
      const relay = network.relays[victim]!;
      await relay.stop();
      const { code, stderr } = await stream.ending();
      const took = performance.now() - killed;
      assert(took < AT_ONCE, `hop ${position + 1}: told after ${took} ms`);
      // It had said that it came whole, and a part has come: CURLE_PARTIAL_FILE, or CURLE_RECV_ERROR.
      assert([18, 56].includes(code), `hop ${position + 1}: curl says ${code}`);
      assertMatch(new TextDecoder().decode(stderr), /^curl: \(\d\d\) ./);
      const way = ["--socks5-hostname", address, "--fail"];
      const path = `${network.directory}/next`;
      const next = await curl(HERE, [
        ...[...way, "--output", path, `${url}/file`],
      ]);
      assertEquals(next, { code: 0, stdout: "", stderr: "" });
      assertEquals(await sumOfFile(path), destination.sum);
      assert(!(await usedPath(network)).includes(victim), "the same relay");
      const others = network.relayAddresses.filter((_, i) => i !== victim);
      await network.listed(others);
      await relay.start();
      await network.listed(network.relayAddresses);
    }
  },
);

testUnless(
  curlMissing,
  `S4.3, S4.5: while relays are killed ${KILLS} times at random, whatever goes through a proxy ends soon, with the same bytes or an error; then all goes on`,
  async () => {
    const random = new Random(SEED);
    const port = quietPort();
    await using destination = await Destination.start(HERE, port, MIB);
    await using network = await OnionNetwork.raise(allOn(HERE, RELAYS));
    const { address } = await network.proxy();
    const url = `http://${HERE.host}:${port}/file?rate=${4 * RATE}`;
    /** Loads the file under a login of its own; whether all has come. */
    const load = async (user: string): Promise<boolean> => {
      const path = `${network.directory}/${user}`;
      const begun = performance.now();
      const way = ["--proxy", `http://${user}:x@${address}`, "--fail"];
      const ending = await curl(HERE, [...way, "--output", path, url]);
      const took = performance.now() - begun;
      assert(took < 90_000, `seed ${SEED}: it took ${took} ms`);
      if (ending.code !== 0) {
        assertMatch(ending.stderr, /^curl: \(\d\d\) ./);
        return false;
      }
      assertEquals(await sumOfFile(path), destination.sum);
      return true;
    };
    let isOver = false;
    const counts = { whole: 0, broken: 0 };
    const workers = Array.from({ length: 6 }, async (_, worker) => {
      for (let i = 0; !isOver; i++) {
        const isWhole = await load(`user-${worker}-${i}`);
        counts[isWhole ? "whole" : "broken"]++;
      }
    });
    try {
      for (let kills = 0; kills < KILLS; kills++) {
        await sleep(1_000 + random.below(1_000));
        const relay = network.relays[random.below(RELAYS)]!;
        await relay.stop();
        await sleep(random.below(500));
        await relay.start();
      }
    } finally {
      isOver = true;
      await Promise.all(workers);
    }
    // Whether something broke is left to chance; that not all did is not.
    assert(counts.whole >= KILLS, JSON.stringify(counts));
    await network.listed(network.relayAddresses);
    for (let i = 0; i < 3; i++) assert(await load(`later-${i}`));
  },
);

testUnless(
  curlMissing,
  "S4.1: without its controller the network goes on, for those who know it, and the rest are told so",
  async () => {
    const port = quietPort();
    await using destination = await Destination.start(HERE, port, MIB);
    await using network = await OnionNetwork.raise(allOn(HERE, RELAYS));
    const early = await network.proxy();
    await network.known();
    await network.controller.stop();
    const load = async (proxy: string) => {
      const url = `http://${HERE.host}:${port}/file`;
      const path = `${network.directory}/loaded`;
      const way = ["--socks5-hostname", proxy, "--fail", "--output", path];
      const ending = await curl(HERE, [...way, url]);
      assertEquals(ending, { code: 0, stdout: "", stderr: "" });
      assertEquals(await sumOfFile(path), destination.sum);
    };
    await load(early.address);
    await early.process.stop("SIGTERM");
    await load((await network.proxy()).address);
    const stranger = await network.start([
      ...["client", "fetch", "--controller", network.address],
      `http://${HERE.host}:${port}/file`,
    ], "stranger");
    const { code, stderr } = await stranger.ending();
    assertEquals(code, 1);
    const said = new TextDecoder().decode(stderr);
    assertMatch(said, /^sotto: cannot tell which relays there are: /);
    await network.controller.start();
    await network.listed(network.relayAddresses);
  },
);

/** The indices of the relays of the circuit that a stream is on, the guard first. */
async function usedPath(network: OnionNetwork): Promise<number[]> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    const shown = await network.circuits();
    const used = shown.findLast(({ used }) => used);
    if (used !== undefined) {
      return used.path.map(({ address }) =>
        network.relayAddresses.indexOf(address)
      );
    }
    await sleep(50);
  }
  throw new Error("No circuit is used");
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
