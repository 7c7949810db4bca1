import type { Crew } from "./crew.ts";
import { personHome } from "./lab.ts";
import { LabError } from "./lab_error.ts";

/** Commands that run at a time: each costs a start of the program. */
const AT_A_TIME = 4;

/**
 * Gives people accounts at the server, whose keys lie in their homes and need no passphrase, and makes
 * them contacts of each other.
 *
 * @param known those who have all that from a run before.
 * @throws {LabError} `ERR_LAB_ENDED` if a command fails.
 */
export async function raisePeople(
  crew: Crew,
  server: string,
  people: readonly string[],
  known: readonly string[],
): Promise<void> {
  const isNew = (name: string) => !known.includes(name);
  await each(people.filter(isNew), async (name) => {
    const flags = ["--server", server, "--non-interactive", "--quiet"];
    await must(crew, name, ["client", "register", name, ...flags]);
  });
  const pairs = people.flatMap((name) =>
    people.filter((other) => other !== name && (isNew(name) || isNew(other)))
      .map((other) => [name, other] as const)
  );
  await each(pairs, async ([name, other]) => {
    await must(crew, name, ["client", "contacts", "add", other, "--quiet"]);
  });
}

async function must(
  crew: Crew,
  name: string,
  args: readonly string[],
): Promise<void> {
  const env = { SOTTO_HOME: personHome(crew.directory, name) };
  const { code, text } = await crew.run(name, args, env);
  if (code === 0) return;
  throw new LabError(
    "ERR_LAB_ENDED",
    `Cannot raise ${name}: ${args[1]} ended with code ${code}`,
    { logs: new Map([[name, text]]) },
  );
}

/** Does `work` for all of `items`, four at a time. */
async function each<T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items];
  async function next(): Promise<void> {
    for (let item; (item = left.shift()) !== undefined;) await work(item);
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, next));
}
