import type { FlagTable } from "../flags.ts";
import { NETWORK_FLAGS } from "../network_flags.ts";
import type { NetworkFlags } from "../network_flags.ts";

/** The flags of a command that uses the onion. */
export const ONION_FLAGS = {
  ...NETWORK_FLAGS,
  hops: { type: "string" },
} as const satisfies FlagTable;

/** What the help of every command with these flags says, apart from that of the network. */
export const ONION_HELP =
  `  --hops N                 relays in a circuit, 3 to 8; 3 if not given
`;

/** Their values. */
export interface OnionFlags extends NetworkFlags {
  readonly hops: string | undefined;
}
