import { assert, assertEquals } from "@std/assert";
import { quietPort } from "../../../tools/quiet_port.ts";
import { concat, utf8, writeAll } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { Random } from "../../hostile/random.ts";
import { Destination } from "./destination.ts";
import { loopback } from "./machine.ts";
import type { Condition, NodeProcess } from "./node_process.ts";
import { allOn, OnionNetwork } from "./onion_network.ts";
import { askSocks, readExactly } from "./socks.ts";
import { procMissing, testUnless } from "./test_unless.ts";

const HERE = loopback();
/** Inputs for each port: a bounded number here, as many as one likes by hand. */
const INPUTS = Number(Deno.env.get("SOTTO_FUZZ_INPUTS") ?? 400);
/** Set it to the seed of a failure to see that again. */
const SEED = Number(
  Deno.env.get("SOTTO_FUZZ_SEED") ??
    crypto.getRandomValues(new Uint32Array(1))[0],
);
/** Connections at once. */
const ATTACKERS = 8;
const LONGEST = 4_096;
const MIB = 1_048_576;
/** How long a connection may take to say what it wants, in milliseconds, and some more. */
const PATIENCE = 25_000;

/** What an input begins with, so that some of what follows is reached. */
const NODE_OPENINGS: readonly Bytes[] = [
  utf8(""),
  utf8("GET / HTTP/1.1\r\n"),
  new Uint8Array(4),
  new Uint8Array(16).fill(0xff),
];
const PROXY_OPENINGS: readonly Bytes[] = [
  utf8(""),
  new Uint8Array([5, 1, 0]),
  new Uint8Array([5, 1, 0, 5, 1, 0, 3]),
  new Uint8Array([5, 1, 2, 1]),
  new Uint8Array([4, 1, 0, 80, 0, 0, 0, 1]),
  utf8("CONNECT "),
  utf8("GET http://"),
  utf8(
    "POST http://127.0.0.1:9/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
  ),
];

/** A port under attack. */
interface Target {
  readonly name: string;
  /** `HOST:PORT`. */
  readonly address: string;
  readonly process: NodeProcess;
  readonly openings: readonly Bytes[];
}

/** What a network of three relays has on this machine. */
interface Ports {
  readonly targets: readonly Target[];
  /** Fetches a file through the proxy, under a login of its own. */
  readonly load: () => Promise<void>;
}

testUnless(
  procMissing,
  `hostile: ${INPUTS} random inputs at the ports of controller, relay and proxy change nothing in them`,
  async () => {
    await withPorts(async ({ targets, load }) => {
      for (const target of targets) {
        // The first inputs fill caches, and the compiler works on what they reach.
        await attack(target, 100, SEED);
        const before = await quiet(target.process);
        await attack(target, INPUTS, SEED + 1);
        const after = await quiet(target.process);
        const { name } = target;
        // Nodes speak with each other now and then.
        const sockets = after.descriptors - before.descriptors;
        assert(sockets < 5, `${name}: ${sockets} sockets more`);
        const growth = after.resident - before.resident;
        assert(growth < 48 * MIB, `${name}: ${growth} bytes more`);
        assertEquals(/ error /.exec(target.process.log), null, name);
      }
      await load();
    });
  },
);

testUnless(
  procMissing,
  "hostile: whoever says what he wants a byte at a time is hung up on, and others are served meanwhile",
  async () => {
    await withPorts(async ({ targets, load }) => {
      const dribbles = targets.flatMap((target) =>
        Array.from({ length: 60 }, () => dribble(target))
      );
      const waited = Promise.all(dribbles);
      for (let i = 0; i < 5; i++) {
        await load();
        await sleep(500);
      }
      const longest = Math.max(...await waited);
      assert(longest < PATIENCE, `one was listened to for ${longest} ms`);
      await load();
    });
  },
);

async function withPorts(body: (ports: Ports) => Promise<void>): Promise<void> {
  const port = quietPort();
  await using destination = await Destination.start(HERE, port, MIB);
  await using network = await OnionNetwork.raise(allOn(HERE, 3));
  const proxy = await network.proxy();
  let loads = 0;
  try {
    await body({
      targets: [
        {
          name: "controller",
          address: network.address.slice(network.address.indexOf("@") + 1),
          process: network.controller,
          openings: NODE_OPENINGS,
        },
        {
          name: "relay",
          address: network.relayAddresses[0]!,
          process: network.relays[0]!,
          openings: NODE_OPENINGS,
        },
        {
          name: "proxy",
          address: proxy.address,
          process: proxy.process,
          openings: PROXY_OPENINGS,
        },
      ],
      load: async () => {
        const user = `load-${++loads}`;
        const asked = await askSocks(proxy.address, HERE.host, port, user);
        using connection = asked.connection;
        assertEquals(asked.code, 0);
        await writeAll(
          connection,
          utf8("GET /file HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        );
        await readExactly(connection, destination.size);
      },
    });
  } catch (error) {
    throw new Error(`SOTTO_FUZZ_SEED=${SEED}`, { cause: error });
  }
}

/** `count` inputs, some of them at once. */
async function attack(
  { address, openings }: Target,
  count: number,
  seed: number,
): Promise<void> {
  const random = new Random(seed);
  const one = async () => {
    const noise = random.bytes(random.below(LONGEST));
    const input = concat(random.pick(openings), noise);
    using connection = await connect(address);
    const patience = setTimeout(() => connection.close(), 300);
    try {
      await writeAll(connection, input);
      if (random.once(2)) await connection.closeWrite();
      const buffer = new Uint8Array(LONGEST);
      while (await connection.read(buffer) !== null);
    } catch {
      // It was hung up on us, or we have waited long enough.
    } finally {
      clearTimeout(patience);
    }
  };
  await Promise.all(Array.from({ length: ATTACKERS }, async () => {
    for (let i = 0; i < count / ATTACKERS; i++) await one();
  }));
}

/** How long a connection stays on which a byte comes now and then, in milliseconds. */
async function dribble({ address, openings }: Target): Promise<number> {
  const begun = performance.now();
  const input = openings[1]!;
  using connection = await connect(address);
  let ended = false;
  const buffer = new Uint8Array(LONGEST);
  const reading = (async () => {
    try {
      while (await connection.read(buffer) !== null);
    } catch {
      // It was reset.
    }
    ended = true;
  })();
  let tick = Promise.resolve();
  for (let i = 0; !ended && performance.now() - begun < PATIENCE; i++) {
    try {
      await connection.write(input.subarray(i, i + 1));
    } catch {
      break;
    }
    tick = sleep(1_000);
    await Promise.race([reading, tick]);
  }
  const took = performance.now() - begun;
  // No timer may be left behind.
  await tick;
  return took;
}

/** How it is when nothing changes any more. */
async function quiet(process: NodeProcess): Promise<Condition> {
  let last = await process.condition();
  for (let i = 0; i < 40; i++) {
    await sleep(500);
    const now = await process.condition();
    if (now.descriptors === last.descriptors && i >= 2) return now;
    last = now;
  }
  return last;
}

function connect(address: string): Promise<Deno.TcpConn> {
  const [hostname = "", port] = address.split(":");
  return Deno.connect({ hostname, port: Number(port) });
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
