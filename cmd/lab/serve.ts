import {
  LabError,
  launchProgram,
  NOTHING_KEPT,
  raiseLab,
  readKept,
} from "../../lib/lab/mod.ts";
import type { Lab, LabOptions, Member } from "../../lib/lab/mod.ts";
import { CommandError, describe, UsageError } from "../errors.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { writeControllers } from "../network.ts";
import { privateDirectory } from "../paths.ts";
import { printableLines } from "../printable.ts";
import { stopped } from "../running.ts";
import { LabStatus } from "./lab_status.ts";
import { thisProgram } from "./program.ts";
import { labData, labText } from "./report.ts";
import { FLAGS, planOf } from "./settings.ts";
import { shareRuntime } from "./shared_runtime.ts";

/** Help for `sotto lab`. */
export const usage =
  `sotto lab raises a whole network on this machine, to try things out: controllers, relays, a server, a
proxy into the onion and people who know each other, each a process of its own.

Usage: sotto lab [FLAG]...

When all of it is up, it prints the addresses, and commands to paste into other terminals. Everything listens
on 127.0.0.1, and the relays connect to private addresses, too. It runs until Ctrl-C, which ends all of it.

What:
  --controllers N          controllers; 1 if not given
  --quorum N               how many of them must agree; more than half if not given
  --relays N               relays, 3 or more; 4 if not given
  --onion                  the server has no address, and is reached through the onion only
  --no-server              no server for accounts, letters and files
  --no-proxy               no proxy into the onion
  --people NAME,NAME...    people with an account at the server, each other's contacts; their keys need no
                           passphrase
  --interval DURATION      from one consensus to the next; 2s if not given
  --mix N                  mixes in the chain of the server, itself included, 1 to 8; the others are relays.
                           1 if not given: then its rounds hide nothing from the server
  --cover N                simulated clients that take part in rounds and send only cover; 0 if not given

Where:
  --data DIR               keep everything in DIR, and raise again what lies there: the same keys, ports and
                           accounts. If not given, a temporary directory, removed at the end
Output:
  --json                   say all that is to be known as one JSON object, when everything is up
  --quiet, -q              say nothing, and show no status line

Examples:
  sotto lab
  sotto lab --people alice,bob
  sotto lab --people alice,bob --onion
  sotto lab --people alice,bob --mix 3 --cover 20
  sotto lab --controllers 3 --relays 8 --data ./lab
  sotto lab --json --no-server
`;

/** `sotto lab`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  // Asked for before there is anything to end.
  const { signal } = io;
  const directory = flags.data === undefined
    ? undefined
    : await Deno.realPath(await privateDirectory(flags.data));
  const kept = directory === undefined
    ? NOTHING_KEPT
    : await readKept(directory);
  const status = new LabStatus(io);
  let lab: Lab | undefined;
  const ended = (member: Member) => {
    if (lab !== undefined) status.ended(member);
  };
  const launch = launchProgram(thisProgram());
  const plan = planOf(flags, kept);
  try {
    lab = await raise(io, { ...plan, launch, directory, signal, ended });
    await prepareHomes(io, lab);
    const temporary = directory === undefined;
    if (flags.json) {
      await io.stdout.write(`${JSON.stringify(labData(lab, temporary))}\n`);
    } else if (!flags.quiet) await io.stdout.write(labText(lab, temporary));
    if (!flags.quiet) status.watch(lab);
    await stopped(signal);
    return 0;
  } finally {
    await status.close();
    await lab?.close();
  }
}

/** Shows, of what does not come up, what it said last. */
async function raise(io: Io, options: LabOptions): Promise<Lab> {
  try {
    return await raiseLab(options);
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    if (error.code === "ERR_LAB_PLAN") throw new UsageError(describe(error));
    for (const [name, text] of error.logs) {
      await io.stderr.write(
        `--- ${name} said last:\n${printableLines(text.trimEnd())}\n`,
      );
    }
    const { cause } = error;
    throw cause instanceof Deno.errors.NotCapable
      ? new CommandError("Cannot start processes: it may not", {
        hint: "run it from its source: deno run -A main.ts lab",
      })
      : error;
  }
}

/** Makes commands of the people start fast, and know the controllers without being told each time. */
async function prepareHomes(io: Io, lab: Lab): Promise<void> {
  if (lab.proxy !== undefined) await shareRuntime(lab.home("proxy"));
  for (const name of lab.plan.people) {
    const home = lab.home(name);
    await shareRuntime(home);
    const env = (variable: string) =>
      variable === "SOTTO_HOME" ? home : io.env(variable);
    await writeControllers({ ...io, env }, lab.network);
  }
}
