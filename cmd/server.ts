import { dispatch } from "./dispatch.ts";
import type { CommandTable, Group } from "./dispatch.ts";
import { asksForHelp } from "./flags.ts";
import type { Io } from "./io.ts";

const INVITE: Group = {
  name: "sotto server invite",
  about:
    "Invites let people register at a server that runs with --registration invite.",
  more: `
Examples:
  sotto server invite create --uses 5 --expires 14d --note "reading group"
  sotto server invite list
  sotto server invite revoke 9f86d081884c7d65`,
};

const INVITES: CommandTable = {
  create: {
    summary: "make a code that is good for some registrations",
    load: () => import("./server/invite_create.ts"),
  },
  list: {
    summary: "show the invites that are still good",
    load: () => import("./server/invite_list.ts"),
  },
  revoke: {
    summary: "make an invite useless",
    load: () => import("./server/invite_revoke.ts"),
  },
};

/** Help for `sotto server`. */
export { usage } from "./server/serve.ts";

/** `sotto server invite ...` has help of its own. */
export const group = true;

/** `sotto server`: serves, unless `args` begin with `invite`. */
export async function run(args: string[], io: Io): Promise<number> {
  if (args[0] === "invite") {
    return await dispatch(INVITE, INVITES, args.slice(1), io);
  }
  const serve = await import("./server/serve.ts");
  if (asksForHelp(args)) {
    await io.stdout.write(serve.usage);
    return 0;
  }
  return await serve.run(args, io);
}
