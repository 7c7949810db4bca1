import type { StreamOpener } from "../../lib/onion/stream/opener.ts";
import { CommandError } from "../errors.ts";
import type { FlagTable } from "../flags.ts";
import type { Io } from "../io.ts";

/** How things stand with the onion. */
export interface OnionStatus {
  /** Circuits that are open. */
  readonly circuits: number;
}

/** The way into the onion, for one command. */
export interface OnionLink {
  readonly opener: StreamOpener;
  status(): OnionStatus;
  /** Ends all circuits. */
  close(): Promise<void>;
}

/** The flags of a command that uses the onion. */
export const ONION_FLAGS = {} as const satisfies FlagTable;

/** Opens a way into the onion, as the flags say. */
export type OpenOnion = (
  io: Io,
  flags: Readonly<Record<string, unknown>>,
) => Promise<OnionLink>;

/** Opens a way into the onion, as the flags say. */
export function openOnion(): Promise<OnionLink> {
  return Promise.reject(new CommandError("Cannot find an onion network"));
}
