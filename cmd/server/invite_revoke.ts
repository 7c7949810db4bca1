import { CommandError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { DATA_FLAG, dataDirectory, openServerStore } from "./server_store.ts";

/** Help for `sotto server invite revoke`. */
export const usage = `sotto server invite revoke makes an invite useless.

Usage: sotto server invite revoke ID [--data DIR]

ID is what sotto server invite list shows. Accounts that were made with the invite stay.

Example:
  sotto server invite revoke 9f86d081884c7d65
`;

/** `sotto server invite revoke`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(
    args,
    { ...COMMON_FLAGS, ...DATA_FLAG },
    { least: 1, shape: "ID" },
  );
  const [id] = operands;
  const store = await openServerStore(await dataDirectory(io, flags.data));
  try {
    const matching = (await store.invites.list())
      .filter(({ hash }) => hash.toHex().startsWith(id!));
    if (id!.length < 8 || matching.length !== 1) {
      throw new CommandError(`Cannot revoke ${id}: no such invite`, {
        hint: "sotto server invite list shows the ids",
      });
    }
    await store.invites.revoke(matching[0]!.hash);
    return 0;
  } finally {
    await store.close();
  }
}
