/**
 * A target in a process of its own: says its port and certificate in a line of JSON, then its
 * condition for every line it reads, and ends with its input.
 *
 * @module
 */
import { linesOf } from "./lines.ts";
import { localTarget } from "./target.ts";

if (import.meta.main) await main();

async function main(): Promise<void> {
  await using target = await localTarget();
  await say({
    port: target.port,
    certificate: target.certificate.bytes.toBase64(),
  });
  for await (const _line of linesOf(Deno.stdin.readable)) {
    await say(await target.condition());
  }
}

async function say(what: unknown): Promise<void> {
  const bytes = new TextEncoder().encode(JSON.stringify(what) + "\n");
  for (let at = 0; at < bytes.length;) {
    at += await Deno.stdout.write(bytes.subarray(at));
  }
}
