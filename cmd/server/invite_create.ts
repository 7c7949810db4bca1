import { inviteHash } from "../../lib/account/mod.ts";
import { randomBytes, utf8 } from "../../lib/protocol/mod.ts";
import { parseDuration } from "../duration.ts";
import { formatDuration } from "../format_duration.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { DATA_FLAG, dataDirectory, openServerStore } from "./server_store.ts";

/** Help for `sotto server invite create`. */
export const usage =
  `sotto server invite create makes a code with which people can register.

Usage: sotto server invite create [--data DIR] [--uses N] [--expires DURATION] [--note TEXT]

The code is printed once and stored as a hash only. A running server knows it at once.

Flags:
  --data DIR           the server's directory, as given to sotto server
  --uses N             how many registrations it is good for; 1 if not given
  --expires DURATION   for how long; 7d if not given
  --note TEXT          what sotto server invite list shows beside it
  --json               print {"code", "uses", "expires"} instead

Examples:
  sotto server invite create --uses 5 --expires 14d --note "reading group"
  sotto server invite create | ssh friend 'cat > invite.txt'
`;

const FLAGS = {
  ...COMMON_FLAGS,
  ...DATA_FLAG,
  uses: { type: "string" },
  expires: { type: "string" },
  note: { type: "string" },
} as const;

/** Random bytes in a code. */
const CODE_BYTES = 15;

/** `sotto server invite create`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags } = parseFlags(args, FLAGS);
  const uses = Number(flags.uses ?? "1");
  if (!Number.isInteger(uses) || uses < 1 || uses > 1_000_000) {
    throw new UsageError("--uses needs a number from 1 to 1000000");
  }
  const lasting = parseDuration(flags.expires ?? "7d");
  const code = randomBytes(CODE_BYTES).toBase64({ alphabet: "base64url" });
  const store = await openServerStore(await dataDirectory(io, flags.data));
  const expiresAt = io.now() + lasting;
  try {
    await store.invites.create({
      hash: await inviteHash(utf8(code)),
      uses,
      expiresAt,
      note: flags.note ?? "",
    });
  } finally {
    await store.close();
  }
  if (flags.json) {
    const expires = new Date(expiresAt).toISOString();
    await io.stdout.write(`${JSON.stringify({ code, uses, expires })}\n`);
    return 0;
  }
  await io.stdout.write(`${code}\n`);
  if (!flags.quiet) {
    await io.stderr.write(
      `good for ${uses} registration${uses === 1 ? "" : "s"}, for ${
        formatDuration(lasting)
      }; people give it to: sotto client register NAME --invite-file FILE\n`,
    );
  }
  return 0;
}
