import { assert, assertEquals } from "@std/assert";
import { quietPort } from "../../../tools/quiet_port.ts";
import { sha256, utf8, writeAll } from "../../../lib/protocol/mod.ts";
import { Destination } from "./destination.ts";
import { loopback } from "./machine.ts";
import { allOn, OnionNetwork } from "./onion_network.ts";
import type { Proxy } from "./onion_network.ts";
import type { NodeProcess } from "./node_process.ts";
import { askSocks, readExactly } from "./socks.ts";
import { procMissing, testUnless } from "./test_unless.ts";

const HERE = loopback();
const MIB = 1_048_576;
const CIRCUITS = 200;
const REQUEST = "Host: x\r\nConnection: close\r\n\r\n";

testUnless(
  procMissing,
  `S4.3: ${CIRCUITS} logins have ${CIRCUITS} circuits open at once through one client, and all of them work`,
  async () => {
    const port = quietPort();
    await using destination = await Destination.start(HERE, port, 100_000);
    await using network = await OnionNetwork.raise(allOn(HERE, 3));
    const proxy = await network.proxy();
    const users = Array.from({ length: CIRCUITS }, (_, i) => `u${i + 1}`);
    const streams = await Promise.all(
      users.map((user) => open(proxy, port, user)),
    );
    try {
      const shown = await network.circuits();
      const used = shown.filter(({ used, streams }) => used && streams === 1);
      assertEquals(used.length, CIRCUITS);
      await Promise.all(
        streams.map((stream) => load(stream, destination)),
      );
      assertEquals(destination.requests.length, CIRCUITS);
      for (const relay of network.relays) {
        const { peak } = await relay.condition();
        assert(peak < 160 * MIB, `a relay took ${peak} bytes`);
      }
    } finally {
      for (const stream of streams) stream.close();
    }
  },
);

testUnless(
  procMissing,
  "hostile: downloads that nobody reads fill neither proxy nor relays, and others go on",
  async () => {
    const port = quietPort();
    await using destination = await Destination.start(HERE, port, MIB);
    await using network = await OnionNetwork.raise(allOn(HERE, 3));
    const proxy = await network.proxy();
    // What stands still is a window of 1 MiB for each stream.
    const nodes = [proxy.process, ...network.relays];
    await withBounded(nodes, 112 * MIB, async () => {
      const streams = [];
      try {
        for (let i = 0; i < 40; i++) {
          // Ten streams on each of four circuits.
          const stream = await open(proxy, port, `sniper-${i % 4}`);
          streams.push(stream);
          await writeAll(stream, utf8(`GET /endless HTTP/1.1\r\n${REQUEST}`));
          await readExactly(stream, 1_000);
        }
        await sleep(5_000);
        for (const user of ["sniper-0", "somebody"]) {
          using stream = await open(proxy, port, user);
          await load(stream, destination);
        }
        // Whoever reads on gets more.
        await readExactly(streams[0]!, 8 * MIB);
      } finally {
        for (const stream of streams) stream.close();
      }
    });
  },
);

testUnless(
  procMissing,
  "hostile: a client that stops reading its link does not fill the relays, and others go on",
  async () => {
    const port = quietPort();
    await using destination = await Destination.start(HERE, port, MIB);
    await using network = await OnionNetwork.raise(allOn(HERE, 3));
    const [proxy, other] = [
      await network.proxy(),
      await network.proxy("other"),
    ];
    await withBounded(network.relays, 96 * MIB, async () => {
      const streams = await Promise.all(
        Array.from({ length: 60 }, (_, i) => open(proxy, port, `sniper-${i}`)),
      );
      try {
        const endless = utf8(`GET /endless HTTP/1.1\r\n${REQUEST}`);
        const drained = streams.map(async (stream) => {
          await writeAll(stream, endless);
          const buffer = new Uint8Array(65_536);
          while ((await stream.read(buffer).catch(() => null)) !== null);
        });
        await sleep(500);
        proxy.process.signal("SIGSTOP");
        await sleep(4_000);
        using stream = await open(other, port, "somebody");
        await load(stream, destination);
        await proxy.process.stop();
        await Promise.all(drained);
      } finally {
        for (const stream of streams) stream.close();
      }
    });
  },
);

/** A stream to `port` of this machine, for a login of its own. */
async function open(
  proxy: Proxy,
  port: number,
  user: string,
): Promise<Deno.TcpConn> {
  const asked = await askSocks(proxy.address, HERE.host, port, user);
  if (asked.code === 0) return asked.connection;
  asked.connection.close();
  throw new Error(`${user}: SOCKS says ${asked.code}`);
}

/** Loads the file of the destination on a stream. */
async function load(
  stream: Deno.TcpConn,
  { size, sum }: Destination,
): Promise<void> {
  await writeAll(stream, utf8(`GET /file HTTP/1.1\r\n${REQUEST}`));
  const came = new Uint8Array(size + 4_096);
  let length = 0;
  for (;;) {
    const count = await stream.read(came.subarray(length));
    if (count === null) break;
    length += count;
  }
  const body = came.subarray(length - size, length);
  assertEquals((await sha256(body)).toHex(), sum);
}

/** Runs `body`, in which none of the processes may grow by more than `bytes`. */
async function withBounded(
  processes: readonly NodeProcess[],
  bytes: number,
  body: () => Promise<void>,
): Promise<void> {
  const before = await Promise.all(processes.map((each) => each.condition()));
  await body();
  for (const [i, process] of processes.entries()) {
    const growth = (await process.condition()).peak - before[i]!.resident;
    assert(growth < bytes, `process ${i} has grown by ${growth} bytes`);
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
