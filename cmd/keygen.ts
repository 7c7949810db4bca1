import type { CommandTable, Group } from "./dispatch.ts";
import { dispatch, groupUsage } from "./dispatch.ts";
import type { Io } from "./io.ts";

const GROUP: Group = {
  name: "sotto keygen",
  about:
    "sotto keygen makes the keys of nodes and accounts, shows them, and swaps them with other\nprograms and other people by files.",
  more: `
Examples:
  sotto keygen node --out server.key                   a server's keys, under a passphrase
  sotto keygen node --out server.key --secret-file server.secret
                                                       the same, to start without a person
  sotto keygen certificate server.key --out server.cert
                                                       what to hand to its users
  sotto keygen show server.cert                        what they compare
  sotto keygen account bot@example.org --out bot.key   an account whose keys stay here`,
};

const COMMANDS: CommandTable = {
  node: {
    summary: "make the keys of a server or relay",
    load: () => import("./keygen/node.ts"),
  },
  account: {
    summary: "make the keys of an account",
    load: () => import("./keygen/account.ts"),
  },
  show: {
    summary: "show what a key file or certificate is, with its fingerprint",
    load: () => import("./keygen/show.ts"),
  },
  certificate: {
    summary: "write the public certificate of a key file, to hand over",
    load: () => import("./keygen/certificate.ts"),
  },
  export: {
    summary: "write one key as PEM or JWK",
    load: () => import("./keygen/export.ts"),
  },
  import: {
    summary: "make a key file of three private keys made elsewhere",
    load: () => import("./keygen/import.ts"),
  },
};

/** Help for `sotto keygen`. */
export const usage: string = groupUsage(GROUP, COMMANDS);

/** The commands below have help of their own. */
export const group = true;

/** `sotto keygen`: hands on to the command that `args` begin with. */
export async function run(args: string[], io: Io): Promise<number> {
  return await dispatch(GROUP, COMMANDS, args, io);
}
