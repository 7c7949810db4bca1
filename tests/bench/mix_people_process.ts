/**
 * People who talk in rounds, and clients that have nothing to say, all of them real clients. Argument: what
 * the server and the mixes said (`entry`, `mixes`), how many `pairs` of people there are and how many
 * `covers` beside them. Asked to `call`, everybody connects and one of each pair calls the other; it answers
 * when all pairs talk under keys of their own. Asked to `talk` for so many `seconds`, it says how long each
 * text was on its way, from where it was entered to where it was shown, in milliseconds, and how many bytes
 * the connections of those who talk and of those who do not have carried; if that is to be `exact`, it
 * begins when nothing is on its way.
 *
 * @module
 */
import { freshKeyring } from "../support/keyrings.ts";
import { sleep } from "./connecting.ts";
import { parseNode, parseNodes } from "./mix_links.ts";
import { Client, Person } from "./mix_person.ts";
import { answerQuestions, numberOf } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

/** Bytes are counted from such a moment to such a moment: nothing is on its way then. In milliseconds. */
const QUIET_BEFORE = 150;
const QUIET_EVERY = 10_000;

if (import.meta.main) await main(JSON.parse(Deno.args[0]!));

async function main(said: Json): Promise<void> {
  const network = {
    entry: await parseNode(said.entry as Json),
    mixes: await parseNodes(said.mixes),
  };
  const covers = Array.from(
    { length: numberOf(said, "covers") },
    () => new Client(network),
  );
  const pairs = await Promise.all(
    Array.from({ length: numberOf(said, "pairs") }, async (_, i) => {
      const keyrings = await Promise.all(
        [`a${i}@bench`, `b${i}@bench`].map(freshKeyring),
      );
      return [
        new Person(network, keyrings[0]!, keyrings[1]!),
        new Person(network, keyrings[1]!, keyrings[0]!),
      ] as const;
    }),
  );
  const people = pairs.flat();
  await answerQuestions({}, async (question) => {
    if (question.ask === "call") {
      for (const each of [...covers, ...people]) {
        each.client.start();
        await sleep(5);
      }
      for (const [caller] of pairs) caller.call();
      await Promise.all(people.map(({ ready }) => ready));
      return {};
    }
    const milliseconds = numberOf(question, "seconds") * 1_000;
    if (question.exact === true) await quiet();
    for (const each of [...covers, ...people]) each.bytes.reset();
    const end = performance.now() + milliseconds;
    const talking = pairs.flatMap(([a, b]) => [a.talk(b, end), b.talk(a, end)]);
    await sleep(milliseconds);
    const busy = people.map(({ bytes }) => bytes.total);
    const idle = covers.map(({ bytes }) => bytes.total);
    const latencies = (await Promise.all(talking)).flat();
    const missed = [...covers, ...people].reduce(
      (sum, { missed }) => sum + missed,
      0,
    );
    return { latencies, busy, idle, missed };
  });
  await Promise.all([...covers, ...people].map(({ client }) => client.close()));
}

/** Until no round of either kind is on its way. */
async function quiet(): Promise<void> {
  const now = Date.now() + QUIET_BEFORE;
  await sleep(QUIET_EVERY - now % QUIET_EVERY);
}
