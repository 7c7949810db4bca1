import type { CommandTable, Group } from "../dispatch.ts";
import { dispatch } from "../dispatch.ts";
import type { Io } from "../io.ts";
import { InterruptedError } from "../io.ts";

const GROUP: Group = {
  name: "sotto lab member",
  about: "Any other command, as a member of a lab: it ends with the lab.",
};

const COMMANDS: CommandTable = {
  server: { summary: "", load: () => import("../server.ts") },
  relay: { summary: "", load: () => import("../relay.ts") },
  controller: { summary: "", load: () => import("../controller.ts") },
  client: { summary: "", load: () => import("../client/mod.ts") },
  crowd: { summary: "", load: () => import("./crowd.ts") },
};

/** How long a command may take to end once it is told to, in milliseconds. */
const GRACE = 5_000;

/**
 * Runs `args` as any other command, but ends when standard input does: it is a pipe that the lab holds,
 * and the system closes it however the lab ends. SIGTERM ends it, too. Ctrl-C does not, which a terminal
 * sends to the lab and its members alike: the lab says when.
 */
export async function runMember(args: string[], io: Io): Promise<number> {
  const end = new AbortController();
  const stop = () => {
    if (end.signal.aborted) return;
    end.abort(new InterruptedError());
    const late = setTimeout(() => Deno.kill(Deno.pid, "SIGKILL"), GRACE);
    Deno.unrefTimer(late);
  };
  Deno.addSignalListener("SIGTERM", stop);
  for (const signal of ["SIGINT", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {});
  }
  untilEnd(io).then(stop);
  const { env, now, stdout, stderr, onTerminalChange } = io;
  return await dispatch(GROUP, COMMANDS, args, {
    stdin: {
      isTerminal: false,
      read: () => Promise.resolve(null),
      setRaw: () => {},
    },
    stdout,
    stderr,
    env,
    now,
    signal: end.signal,
    onTerminalChange,
    readLine: () => Promise.resolve(null),
    prompt: () => Promise.resolve(null),
    promptSecret: () => Promise.resolve(null),
  });
}

/** Resolves at the end of standard input. */
async function untilEnd(io: Io): Promise<void> {
  try {
    while (await io.stdin.read() !== null);
  } catch {
    // It cannot be read any more: that is an end, too.
  }
}
