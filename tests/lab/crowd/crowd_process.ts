/**
 * A crowd as a process of its own. The first line of standard input says what of, as JSON: `hostname`
 * and `port` of the server, `server` and `mixes` (node certificates as hex; the server's own need not be
 * among the mixes), `size`, and if wanted `apart` (milliseconds) and `makeAhead`. Every second it prints
 * its status and its latest rounds as a line of JSON. It ends when standard input does.
 *
 * @module
 */
import { parseNodeCertificate } from "../../../lib/identity/mod.ts";
import { connectToEntry } from "../../../lib/lab/crowd/connect_to_entry.ts";
import { Crowd } from "../../../lib/lab/crowd/crowd.ts";

const { hostname, port, server, mixes, size, apart, makeAhead } = JSON.parse(
  await firstLine(),
);
const entry = await parseNodeCertificate(Uint8Array.fromHex(server));
const known = new Map([[entry.fingerprint.toHex(), entry]]);
for (const each of mixes as string[]) {
  const mix = await parseNodeCertificate(Uint8Array.fromHex(each));
  known.set(mix.fingerprint.toHex(), mix);
}
const crowd = new Crowd({
  size,
  connect: () => connectToEntry({ hostname, port }, entry),
  identityOf: (fingerprint) => known.get(fingerprint.toHex()),
  policy: { coordinator: entry.fingerprint, leastMixes: 1 },
  ...(apart === undefined ? {} : { apart }),
  ...(makeAhead === undefined ? {} : { makeAhead }),
});
crowd.start();
const telling = setInterval(() => {
  const rounds = Object.fromEntries(crowd.rounds);
  const line = JSON.stringify({ ...crowd.status, rounds });
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}, 1_000);
for await (const _ of Deno.stdin.readable);
clearInterval(telling);
await crowd.close();

/** The first line of standard input; what follows it is left there. */
async function firstLine(): Promise<string> {
  const bytes: number[] = [];
  const one = new Uint8Array(1);
  while (await Deno.stdin.read(one) !== null && one[0] !== 10) {
    bytes.push(one[0]!);
  }
  return new TextDecoder().decode(Uint8Array.from(bytes));
}
