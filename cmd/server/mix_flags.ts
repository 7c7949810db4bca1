import { UsageError } from "../errors.ts";
import type { FlagTable, FlagValues } from "../flags.ts";
import { MIX_NOISE_HELP } from "../mix_noise.ts";

/** The flags of a server that are about rounds. */
export const MIX_FLAGS = {
  "no-mix": { type: "boolean" },
  mixes: { type: "string" },
  "mix-chain": { type: "string", multiple: true },
  "mix-round": { type: "string" },
  "mix-noise": { type: "string" },
  "mix-mode": { type: "string" },
  "mix-slots": { type: "string" },
  "mix-clients": { type: "string" },
} as const satisfies FlagTable;

/** Their values. */
export type MixFlags = FlagValues<typeof MIX_FLAGS>;

/**
 * Whether a server offers rounds.
 *
 * @throws {UsageError} if it does not, and is told how.
 */
export function offersRounds(flags: MixFlags): boolean {
  if (!flags["no-mix"]) return true;
  const { "no-mix": _, ...others } = MIX_FLAGS;
  const told = (Object.keys(others) as (keyof typeof others)[])
    .find((name) => (flags[name]?.length ?? 0) > 0);
  if (told === undefined) return false;
  throw new UsageError(`--no-mix and --${told} exclude each other`);
}

/** Whether mixes are looked for among the relays of a network. */
export function needsRelays(flags: MixFlags): boolean {
  return flags["mix-chain"].length > 0 || (flags.mixes ?? "1") !== "1";
}

/** What the help of a server says of them. */
export const MIX_HELP =
  `Private chats, in rounds of a mix; none are run while nobody takes part:
  --no-mix                 offer none
  --mixes N                mixes in the chain, this server included, 1 to 8; the others are relays with --mix
                           that the controllers list, of different owners and networks. 1 if not given: then
                           rounds hide who talks to whom from everybody but this server
  --mix-chain FINGERPRINT  such a relay by name; once for each, in the order of the chain
  --mix-round DURATION     from one round to the next, 200ms to 10m; 2s if not given
  --mix-slots N            messages that each client hands in, in every round, 1 to 16; so many conversations
                           get on in one round, of which a client has three at most. 3 if not given
  --mix-mode rounds|circuits
                           circuits need far fewer key agreements, and so less work; but mixes can tell
                           which messages of half a minute are of one client, and clients are told. rounds if
                           not given
  --mix-clients N          clients that may take part at once; 10000 if not given
${MIX_NOISE_HELP}`;
