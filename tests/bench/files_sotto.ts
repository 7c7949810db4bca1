import { RUNTIME_FLAGS } from "../../tools/launcher.ts";
import { costOf } from "./files_cost.ts";
import type { Invocation } from "./files_cost.ts";
import { startDaemon } from "./files_daemon.ts";
import type { Ways } from "./files_way.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const ZONE = "bench";

/**
 * sotto itself, from its source: a server process and two people with accounts, who are logged in.
 * Whoever pushes and whoever pulls are processes that start at the same time.
 */
export async function startSotto(directory: string): Promise<Ways> {
  const as = (person: string, ...args: readonly string[]) =>
    sotto(`${directory}/${person}`, args);
  const { program, args, env } = as("server", "server");
  const server = await startDaemon(program, (port) => [
    ...args,
    ...["--data", `${directory}/server`, "--zone", ZONE],
    ...["--listen", `127.0.0.1:${port}`, "--log-level", "error"],
  ], env);
  const passphrase = `${directory}/passphrase`;
  await Deno.writeTextFile(passphrase, "correct horse", { mode: 0o600 });
  for (const person of ["alice", "bob"]) {
    const secret = ["--passphrase-file", passphrase];
    const at = ["--server", `127.0.0.1:${server.port}`];
    await costOf(
      [as(person, "client", "register", person, ...at, ...secret)],
      [],
    );
    await costOf([as(person, "client", "login", ...secret)], []);
  }
  const bring = (from: string, to: string) =>
    costOf([
      as("alice", "client", "push", `bob@${ZONE}`, from),
      as(
        "bob",
        ...["client", "pull", `alice@${ZONE}`],
        ...["--to", to, "--yes", "--wait", "60s"],
      ),
    ], [server.pid]);
  return {
    ways: { sotto: { bring } },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function sotto(
  home: string,
  args: readonly string[],
): Required<Invocation> {
  return {
    program: Deno.execPath(),
    args: [
      ...["run", "-A", "--quiet", "--no-check", ...RUNTIME_FLAGS],
      ...[MAIN, ...args],
    ],
    // As the single file is started.
    env: {
      DENO_NO_UPDATE_CHECK: "1",
      MALLOC_ARENA_MAX: "2",
      SOTTO_HOME: home,
    },
  };
}
