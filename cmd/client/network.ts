import type { Network } from "../../lib/directory/mod.ts";
import { formatServerAddress } from "../../lib/identity/mod.ts";
import { UsageError } from "../errors.ts";
import { COMMON_FLAGS, parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { NETWORK_FLAGS } from "../network_flags.ts";
import {
  forgetConsensus,
  makeNetwork,
  networkFrom,
  quorumOf,
  writeControllers,
} from "../network.ts";

/** Help for `sotto client network`. */
export const usage =
  `sotto client network shows or sets whom to believe about which relays there are.

Usage: sotto client network [--json]
       sotto client network set ADDRESS... [--quorum N]

ADDRESS is sotto://FINGERPRINT@HOST:PORT of a controller, as it prints it when it starts. All profiles
on this machine use the same network. What was known of it is forgotten: the first consensus after that is
believed as it comes, if enough controllers have signed it. SOTTO_CONTROLLERS, a list parted by blanks,
and --controller come before what is set here.

Examples:
  sotto client network set sotto://FINGERPRINT@example.org:7608
  sotto client network
`;

const FLAGS = { ...COMMON_FLAGS, ...NETWORK_FLAGS } as const;

/** `sotto client network`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    most: 17,
    shape: "[set ADDRESS...]",
  });
  const [verb, ...addresses] = operands;
  if (verb !== undefined && verb !== "set") {
    throw new UsageError(`unknown command sotto client network ${verb}`, {
      hint: "expected: [set ADDRESS...]",
    });
  }
  if (verb === undefined) {
    await io.stdout.write(
      format(await networkFrom(io, flags), flags.json),
    );
    return 0;
  }
  const all = [...addresses, ...flags.controller];
  if (all.length === 0) {
    throw new UsageError("an argument is missing", {
      hint: "expected: set ADDRESS...",
    });
  }
  const network = makeNetwork(all, quorumOf(flags.quorum));
  await writeControllers(io, network);
  await forgetConsensus(io, network);
  if (!flags.quiet) await io.stdout.write(format(network, flags.json));
  return 0;
}

function format({ controllers, quorum }: Network, asJson: boolean): string {
  const addresses = controllers.map(formatServerAddress);
  return asJson
    ? `${JSON.stringify({ controllers: addresses, quorum })}\n`
    : addresses.map((each) => `controller  ${each}\n`).join("") +
      `quorum      ${quorum} of ${controllers.length}\n`;
}
