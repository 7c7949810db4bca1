import { makePeople, savePeople } from "./people.ts";
import { Subprocess } from "./subprocess.ts";
import type { Json } from "./subprocess.ts";

/** A server process with people who have accounts there, and what others must know of it. */
export interface ServerWithPeople {
  readonly server: Subprocess;
  /** The file of the people. */
  readonly people: string;
  /** What the server said, with its process id: an argument for other processes. */
  readonly said: Json;
}

/** Starts a server in `directory` at which `count` people have accounts. */
export async function startServer(
  directory: string,
  count: number,
): Promise<ServerWithPeople> {
  const people = `${directory}/people.json`;
  await savePeople(people, await makePeople(count));
  const server = await Subprocess.start("server_process.ts", [
    directory,
    people,
  ]);
  return { server, people, said: { ...server.greeting, pid: server.pid } };
}
