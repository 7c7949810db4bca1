import { answer, Caller, generateDh } from "../../lib/protocol/mod.ts";
import type { Channel } from "../../lib/protocol/mod.ts";
import type { Benchmark, Measurement, Prepared } from "./benchmark.ts";

const RECORD = 65_536;
const IN_FLIGHT = 16;

/**
 * One connection on loopback, both ends in this process, 64 KiB records. Raw AES-256-GCM at the same
 * size with 16 calls in flight is measured beside it: sealing alone, and sealing and opening, which is
 * what the two ends of a channel have to do and, on shared processors, the limit of both together.
 */
export const CHANNEL: Benchmark = {
  name: "channel",
  async prepare({ quick }): Promise<Prepared> {
    const bytes = (quick ? 64 : 256) * 1_048_576;
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const keys = { static: await generateDh(), certificate: new Uint8Array(0) };
    return {
      async run(): Promise<Measurement[]> {
        const seal = await raw(bytes, false);
        const both = await raw(bytes, true);
        const accepting = listener.accept().then(async (connection) => {
          connection.setNoDelay(true);
          return (await answer(connection, keys))!;
        });
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        connection.setNoDelay(true);
        const caller = new Caller(connection);
        const [to, from] = await Promise.all([
          accepting,
          caller.connect(keys.static.publicKey),
        ]);
        const value = await pass(from, to, bytes);
        const rest = { name: "channel", value, unit: "MB/s" };
        return [
          { ...rest, against: { name: "raw seal + open", value: both } },
          { ...rest, against: { name: "raw seal alone", value: seal } },
        ];
      },
      close() {
        listener.close();
        return Promise.resolve();
      },
    };
  },
};

async function pass(
  from: Channel,
  to: Channel,
  bytes: number,
): Promise<number> {
  const record = new Uint8Array(RECORD);
  const start = performance.now();
  const receiving = (async () => {
    while (await to.receive() !== null);
    await to.close();
  })();
  for (let sent = 0; sent < bytes; sent += RECORD) await from.send(record);
  await from.flushed();
  await Promise.all([from.close(), receiving]);
  return rate(bytes, start);
}

async function raw(bytes: number, andOpen: boolean): Promise<number> {
  const { subtle } = crypto;
  const algorithm = { name: "AES-GCM", iv: new Uint8Array(12) };
  const key = await subtle.generateKey(
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  const record = new Uint8Array(RECORD);
  let done = 0;
  const start = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    while (done < bytes) {
      done += RECORD;
      const sealed = await subtle.encrypt(algorithm, key, record);
      if (andOpen) await subtle.decrypt(algorithm, key, sealed);
    }
  }));
  return rate(bytes, start);
}

function rate(bytes: number, start: number): number {
  return bytes / 1e6 / ((performance.now() - start) / 1_000);
}
