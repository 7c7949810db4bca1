import { formatDuration } from "../format_duration.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { formatTable } from "../table.ts";
import { DATA_FLAG, dataDirectory, openServerStore } from "./server_store.ts";

/** Help for `sotto server invite list`. */
export const usage =
  `sotto server invite list shows the invites that are still good.

Usage: sotto server invite list [--data DIR] [--json]

The codes themselves are not stored. The id is what sotto server invite revoke takes.

Examples:
  sotto server invite list
  sotto server invite list --data /srv/sotto --json
`;

/** `sotto server invite list`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, { ...COMMON_FLAGS, ...DATA_FLAG });
  const store = await openServerStore(await dataDirectory(io, flags.data));
  try {
    const now = io.now();
    const invites = (await store.invites.list())
      .filter(({ expiresAt }) => expiresAt > now)
      .map(({ hash, uses, expiresAt, note }) => ({
        id: hash.toHex().slice(0, 16),
        uses,
        expiresAt,
        note,
      }));
    if (flags.json) {
      await io.stdout.write(
        `${
          JSON.stringify(invites.map(({ expiresAt, ...invite }) => ({
            ...invite,
            expires: new Date(expiresAt).toISOString(),
          })))
        }\n`,
      );
    } else if (invites.length === 0) {
      await io.stderr.write("no invites\n");
    } else {
      await io.stdout.write(formatTable(
        [{ title: "ID" }, { title: "USES", align: "right" }, {
          title: "EXPIRES IN",
        }, { title: "NOTE" }],
        invites.map(({ id, uses, expiresAt, note }) => [
          id,
          String(uses),
          formatDuration(expiresAt - now),
          note,
        ]),
      ));
    }
    return 0;
  } finally {
    await store.close();
  }
}
