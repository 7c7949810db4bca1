import type { FlagTable } from "./flags.ts";

/** The flags that name the controllers; spread them into a command's own table. */
export const NETWORK_FLAGS = {
  controller: { type: "string", multiple: true },
  quorum: { type: "string" },
} as const satisfies FlagTable;

/** Their values. */
export interface NetworkFlags {
  readonly controller: readonly string[];
  readonly quorum: string | undefined;
}

/** What the help of every command with these flags says of them. */
export const NETWORK_HELP =
  `  --controller ADDRESS     a controller, sotto://FINGERPRINT@HOST:PORT; one for each. If not given, those in
                           SOTTO_CONTROLLERS, else those of sotto client network set
  --quorum N               how many of them must have signed; more than half if not given
`;
