/**
 * The attacks of `port_test.ts` all at once, for as many inputs as one likes, against a server in a
 * process of its own, with its condition printed on the way.
 *
 *     deno run -A tests/hostile/long_run.ts [INPUTS] [SEED]
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a script for people
import { ATTACKS } from "./attacks.ts";
import { Random } from "./random.ts";
import { remoteTarget } from "./remote_target.ts";
import { quiet, settle } from "./target.ts";
import type { Condition } from "./target.ts";
import { Witness } from "./witness.ts";

/** The part of each attack in the inputs, in hundredths, and its attackers at once. */
const PARTS: Readonly<Record<string, readonly [number, number]>> = {
  greetings: [32, 16],
  records: [4, 8],
  strangers: [32, 16],
  members: [32, 8],
};
const ADDRESSES = ["mallory@test", "witness@test", "nobody@test", "x", "@"];
/** Between two looks at the server, in milliseconds. */
const LOOK_EVERY = 10_000;
const MIB = 1_048_576;

if (import.meta.main) await main(Deno.args);

async function main(args: readonly string[]): Promise<void> {
  const inputs = Number(args[0] ?? 1_000_000);
  const seed = Number(
    args[1] ?? crypto.getRandomValues(new Uint32Array(1))[0],
  );
  console.log(`${inputs} inputs, seed ${seed}`);
  await using target = await remoteTarget();
  const resident = await settle(target, "mallory@test");
  const witness = await Witness.at(target, "witness@test");
  const start = performance.now();
  let sent = 0;
  async function attack(share: number): Promise<void> {
    let worker = 0;
    await Promise.all(
      Object.entries(ATTACKS).flatMap(([name, each]) => {
        const [part, attackers] = PARTS[name]!;
        const count = Math.ceil(share * part / 100 / attackers);
        return Array.from({ length: attackers }, async () => {
          const random = new Random(seed + sent + worker++);
          await each({ target, random, resident, addresses: ADDRESSES }, count);
          sent += count;
        });
      }),
    );
  }
  // What the first inputs reach is compiled and cached; from then on memory must stay.
  await attack(inputs / 50);
  const before = await quiet(target);
  show("before", before, start, sent);
  let looking = performance.now();
  while (sent < inputs) {
    await attack(Math.min(inputs / 50, 20_000));
    if (performance.now() - looking < LOOK_EVERY) continue;
    looking = performance.now();
    show("on the way", await target.condition(), start, sent);
  }
  const after = await quiet(target);
  show("after", after, start, sent);
  await witness.stop();
  console.log(
    `the witness was answered ${witness.answers} times, at the latest after ${
      Math.round(witness.longest)
    } ms`,
  );
  for (const each of after.unexpected) console.log(`UNEXPECTED ${each}`);
  const fine = after.unexpected.length === 0 && after.connections === 1 &&
    after.sessions === 1 && after.live - before.live < 8 * MIB &&
    after.resident - before.resident < 64 * MIB;
  console.log(fine ? "as it should be" : "NOT as it should be");
  if (!fine) Deno.exitCode = 1;
}

function show(
  when: string,
  { live, resident, connections, expected, unexpected }: Condition,
  start: number,
  sent: number,
): void {
  const seconds = (performance.now() - start) / 1_000;
  console.log(
    `${when.padEnd(10)} ${sent} inputs in ${seconds.toFixed(0)} s, ` +
      `${(live / MIB).toFixed(1)} MiB live, ${
        (resident / MIB).toFixed(1)
      } MiB resident, ${connections} connections open, ` +
      `${expected} ended by peers, ${unexpected.length} failures inside`,
  );
}
