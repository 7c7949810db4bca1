/**
 * The program: one table of subcommands, and the only place that exits.
 *
 * @module
 */
import type { CommandTable, Group } from "./cmd/dispatch.ts";
import { dispatch, wantsDebug } from "./cmd/dispatch.ts";
import { report } from "./cmd/errors.ts";
import { systemIo } from "./cmd/system_io.ts";
import { reportUnhandled } from "./cmd/unhandled.ts";
import { VERSION } from "./cmd/version.ts";

const GROUP: Group = {
  name: "sotto",
  about: "sotto lets people talk without trusting the machines in between.",
  more: `
Examples:
  sotto server --data ./data                 a server on this machine
  sotto client register alice --server HOST  an account there
  sotto client chat bob                      talk

  sotto --version shows the version.`,
};

const COMMANDS: CommandTable = {
  server: {
    summary: "accounts, letters and files for people who need not trust it",
    load: () => import("./cmd/server.ts"),
  },
  client: {
    summary: "everything a person does: register, chat, send, ...",
    load: () => import("./cmd/client/mod.ts"),
  },
  relay: {
    summary: "carry circuits of the onion network for others",
    load: () => import("./cmd/relay.ts"),
  },
  controller: {
    summary: "the list of relays of a network, alone or with other controllers",
    load: () => import("./cmd/controller.ts"),
  },
  lab: {
    summary: "a whole network on this machine, to try things out",
    load: () => import("./cmd/lab.ts"),
  },
  keygen: {
    summary: "make, show, export and import key files",
    load: () => import("./cmd/keygen.ts"),
  },
};

async function main(args: readonly string[]): Promise<number> {
  const io = systemIo(Deno.exit);
  const debug = wantsDebug(args);
  reportUnhandled(io, debug, Deno.exit);
  try {
    if (args[0] === "--version") {
      await io.stdout.write(`sotto ${VERSION}\n`);
      return 0;
    }
    return await dispatch(GROUP, COMMANDS, args, io);
  } catch (error) {
    return await report(error, io.stderr, { debug });
  }
}

// In one file with everything else, a worker is started with that file, and that is its main module.
if ("DedicatedWorkerGlobalScope" in globalThis) {
  await import("./lib/mix/layer/thread_module.ts");
} else if (import.meta.main) Deno.exit(await main(Deno.args));
