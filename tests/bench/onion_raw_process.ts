/**
 * What this machine can do at best: asked to `seal`, it says how many MB/s of 64 KiB ChaCha20-Poly1305
 * takes with 16 calls in flight, and the seconds of processor time for a GB; and every connection to its
 * port is carried on to the port that is its argument.
 *
 * @module
 */
import { cpuSeconds } from "./process_cost.ts";
import { answerQuestions, numberOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

const BLOCK = 65_536;
const IN_FLIGHT = 16;
const NAME = "ChaCha20-Poly1305";

if (import.meta.main) await main(Number(Deno.args[0]));

async function main(destination: number): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const passing = (async () => {
    for await (const client of listener) {
      passOn(client, destination).catch(() => {/* curl sees it */});
    }
  })();
  await answerQuestions(
    { port },
    (question) => seal(numberOf(question, "bytes")),
  );
  listener.close();
  await passing;
}

async function seal(bytes: number): Promise<Json> {
  const { subtle } = crypto;
  const raw = crypto.getRandomValues(new Uint8Array(32));
  const key = await subtle.importKey("raw-secret", raw, { name: NAME }, false, [
    "encrypt",
  ]);
  const algorithm = { name: NAME, iv: new Uint8Array(12) };
  const block = new Uint8Array(BLOCK);
  const before = cpuSeconds(Deno.pid);
  const start = performance.now();
  let begun = 0;
  await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
    for (; begun < bytes; begun += BLOCK) {
      await subtle.encrypt(algorithm, key, block);
    }
  }));
  const seconds = (performance.now() - start) / 1_000;
  return {
    rate: bytes / 1e6 / seconds,
    cost: (cpuSeconds(Deno.pid) - before) / (bytes / 1e9),
  };
}

async function passOn(client: Deno.TcpConn, port: number): Promise<void> {
  using from = client;
  using to = await Deno.connect({ hostname: "127.0.0.1", port });
  await Promise.all([carry(from, to), carry(to, from)]);
}

async function carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  from.setNoDelay(true);
  const buffer = new Uint8Array(BLOCK);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return await to.closeWrite();
    for (let at = 0; at < count;) {
      at += await to.write(buffer.subarray(at, count));
    }
  }
}
