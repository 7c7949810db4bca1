import { answer, Caller, generateDh } from "../../lib/protocol/mod.ts";
import type { Bytes, Channel } from "../../lib/protocol/mod.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";
import { cpuSeconds } from "./process_cost.ts";
import { numberOf, Subprocess, textOf } from "./subprocess.ts";

const RECORD = 65_536;
const IN_FLIGHT = 16;
/** How much of the raw limit a channel is to reach. */
const SHARE = 0.7;

/** How fast, in MB/s, and what it cost, in µs of processor time for each 64 KiB. */
interface Pace {
  readonly rate: number;
  readonly cost: number;
}

/**
 * One connection on loopback, 64 KiB records. What the two ends do, sealing and opening, is held
 * against raw AES-256-GCM doing both, because on one machine they share its processors; the sending
 * end alone, whose peer only reads, against raw sealing. Raw: 64 KiB, 16 calls in flight.
 */
export const CHANNEL: Benchmark = {
  name: "channel",
  async prepare({ quick }): Promise<Prepared> {
    const bytes = (quick ? 64 : 384) * 1_048_576;
    const receiver = await Subprocess.start("channel_process.ts", ["receive"]);
    const sink = await Subprocess.start("channel_process.ts", ["discard"]);
    return {
      async run(): Promise<Measurement[]> {
        const seal = await raw(bytes, false);
        const sending = await passTo(sink, bytes);
        const both = await raw(bytes, true);
        const one = await passHere(bytes);
        const two = await passTo(receiver, bytes);
        return [
          ...figures("both ends in one process", one, "raw seal + open", both),
          ...figures("both ends, two processes", two, "raw seal + open", both),
          figures("the sending end alone", sending, "raw seal", seal)[0]!,
        ];
      },
      async close() {
        await receiver[Symbol.asyncDispose]();
        await sink[Symbol.asyncDispose]();
      },
    };
  },
};

function figures(
  name: string,
  { rate, cost }: Pace,
  limit: string,
  raw: Pace,
): Measurement[] {
  return [{
    name,
    value: rate,
    unit: "MB/s",
    against: { name: limit, value: raw.rate },
    aim: { least: SHARE },
  }, {
    name: `${name}, processor time per record`,
    value: cost,
    unit: "µs",
    against: { name: limit, value: raw.cost },
    aim: { most: Number((1 / SHARE).toFixed(2)) },
  }];
}

async function passHere(bytes: number): Promise<Pace> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const keys = { static: await generateDh(), certificate: new Uint8Array(0) };
  const accepting = listener.accept().then(async (connection) => {
    connection.setNoDelay(true);
    return (await answer(connection, keys))!;
  });
  const from = await connect(port, keys.static.publicKey);
  const to = await accepting;
  return await timed(bytes, async () => {
    const receiving = (async () => {
      while (await to.receive() !== null);
      await to.close();
    })();
    await send(from, bytes);
    await receiving;
    return 0;
  });
}

async function passTo(peer: Subprocess, bytes: number): Promise<Pace> {
  const from = await connect(
    numberOf(peer.greeting, "port"),
    Uint8Array.fromBase64(textOf(peer.greeting, "publicKey")),
  );
  return await timed(bytes, async () => {
    await send(from, bytes);
    return numberOf(await peer.ask({ ask: "end" }), "cpu");
  });
}

async function connect(port: number, publicKey: Bytes): Promise<Channel> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  return await new Caller(connection).connect(publicKey);
}

async function send(channel: Channel, bytes: number): Promise<void> {
  const record = new Uint8Array(RECORD);
  for (let sent = 0; sent < bytes; sent += RECORD) await channel.send(record);
  await channel.close();
}

async function raw(bytes: number, andOpen: boolean): Promise<Pace> {
  const { subtle } = crypto;
  const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
  const key = await subtle.generateKey(
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  const record = new Uint8Array(RECORD);
  let done = 0;
  return await timed(bytes, async () => {
    await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
      while (done < bytes) {
        done += RECORD;
        const sealed = await subtle.encrypt(algorithm, key, record);
        if (andOpen) await subtle.decrypt(algorithm, key, sealed);
      }
    }));
    return 0;
  });
}

/** @param work says what other processes used, in seconds of processor time. */
async function timed(
  bytes: number,
  work: () => Promise<number>,
): Promise<Pace> {
  const before = cpuSeconds(Deno.pid);
  const start = performance.now();
  const elsewhere = await work();
  const seconds = (performance.now() - start) / 1_000;
  const cpu = cpuSeconds(Deno.pid) - before + elsewhere;
  return { rate: bytes / 1e6 / seconds, cost: cpu * 1e6 / (bytes / RECORD) };
}
