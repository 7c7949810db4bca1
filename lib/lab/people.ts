import type { Crew } from "./crew.ts";
import { LabError } from "./lab_error.ts";
import { personEnvironment } from "./person_environment.ts";

/** Commands that run at a time: each costs a start of the program. */
const AT_A_TIME = 4;

/**
 * Gives people accounts at the server, whose keys lie in their homes and need no passphrase, and makes
 * them contacts of each other.
 *
 * @param controllers their addresses: the way to the server may lead through the onion.
 * @param known those who have all that from a run before.
 * @throws {LabError} `ERR_LAB_ENDED` if a command fails.
 */
export async function raisePeople(
  crew: Crew,
  server: string,
  controllers: readonly string[],
  people: readonly string[],
  known: readonly string[],
): Promise<void> {
  const must = async (name: string, ...args: readonly string[]) => {
    const env = personEnvironment(crew.directory, name, controllers);
    const { code, text } = await crew.run(name, args, env);
    if (code !== 0) throw failed(name, args, code, text);
  };
  const isNew = (name: string) => !known.includes(name);
  await each(people.filter(isNew), async (name) => {
    const flags = ["--server", server, "--non-interactive", "--quiet"];
    await must(name, "client", "register", name, ...flags);
  });
  const pairs = people.flatMap((name) =>
    people.filter((other) => other !== name && (isNew(name) || isNew(other)))
      .map((other) => [name, other] as const)
  );
  await each(pairs, async ([name, other]) => {
    await must(name, "client", "contacts", "add", other, "--quiet");
  });
}

function failed(
  name: string,
  [, command]: readonly string[],
  code: number,
  text: string,
): LabError {
  return new LabError(
    "ERR_LAB_ENDED",
    `Cannot raise ${name}: ${command} ended with code ${code}`,
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
