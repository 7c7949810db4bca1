import { dispatch } from "./dispatch.ts";
import type { CommandTable, Group } from "./dispatch.ts";
import type { Io } from "./io.ts";

const INVITE: Group = {
  name: "sotto server invite",
  about:
    "Invites let people register at a server that runs with --registration invite.",
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
  const { run } = await import("./server/serve.ts");
  return await run(args, io);
}
