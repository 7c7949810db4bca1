/**
 * The receiving end of a channel in a process of its own. Argument: `receive`, or `discard`, which
 * reads what comes without opening it, as if the end that opens it were on another machine. It says
 * its port and key; asked for the `end` of a connection, it says what it used until then.
 *
 * @module
 */
import { answer, generateDh } from "../../lib/protocol/mod.ts";
import { cpuSeconds } from "./process_cost.ts";
import { answerQuestions } from "./subprocess.ts";

if (import.meta.main) await main(Deno.args[0] === "discard");

async function main(discard: boolean): Promise<void> {
  const keys = { static: await generateDh(), certificate: new Uint8Array(0) };
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const publicKey = keys.static.publicKey.toBase64();
  const next = async () => {
    const connection = await listener.accept();
    connection.setNoDelay(true);
    const channel = (await answer(connection, keys))!;
    const before = cpuSeconds(Deno.pid);
    if (discard) {
      const buffer = new Uint8Array(262_144);
      while (await connection.read(buffer) !== null);
    } else {
      while (await channel.receive() !== null);
    }
    channel.abort();
    return { cpu: cpuSeconds(Deno.pid) - before };
  };
  let ended = next();
  ended.catch(() => {/* the listener closed */});
  await answerQuestions({ port, publicKey }, async () => {
    const result = await ended;
    ended = next();
    ended.catch(() => {/* the listener closed */});
    return result;
  });
}
