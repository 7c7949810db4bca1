import type { CommandTable, Group } from "../dispatch.ts";
import { dispatch } from "../dispatch.ts";
import type { Io } from "../io.ts";

const GROUP: Group = {
  name: "sotto client contacts",
  about: "The people you exchange letters with, and whom you trust to be who.",
};

const COMMANDS: CommandTable = {
  list: {
    summary: "show them (also without a command)",
    load: () => import("./contacts_list.ts"),
  },
  add: {
    summary:
      "know somebody beforehand, by their certificate or from the server",
    load: () => import("./contacts_add.ts"),
  },
  accept: {
    summary: "trust somebody's new identity",
    load: () => import("./contacts_accept.ts"),
  },
  remove: {
    summary: "forget somebody; what was said stays",
    load: () => import("./contacts_remove.ts"),
  },
};

/** Help for `sotto client contacts`. */
export const usage =
  `sotto client contacts: the people you exchange letters with.

Usage: sotto client contacts [list] [--json]
       sotto client contacts add PERSON [--certificate FILE]
       sotto client contacts accept PERSON
       sotto client contacts remove PERSON

Whoever you write to, or who writes to you, becomes a contact; their certificate is pinned then. When
it changes, nothing is sent or read until you accept it.

Examples:
  sotto client contacts
  sotto client contacts add bob --certificate bob.cert
`;

/** The commands below have help of their own. */
export const group = true;

/** `sotto client contacts`. */
export async function run(args: string[], io: Io): Promise<number> {
  const listed = args[0] === undefined || args[0].startsWith("-");
  return await dispatch(GROUP, COMMANDS, listed ? ["list", ...args] : args, io);
}
