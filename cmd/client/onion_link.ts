import { dial } from "../../lib/net/mod.ts";
import { HOPS_LIMIT, HOPS_MINIMUM, OnionClient } from "../../lib/onion/mod.ts";
import type { StreamOpener } from "../../lib/onion/mod.ts";
import { randomBytes } from "../../lib/protocol/mod.ts";
import { UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { networkFrom, networkName, openDirectory } from "../network.ts";
import { privateDirectory, sottoPaths } from "../paths.ts";
import { StoredGuards } from "../stored_guards.ts";
import { CircuitsSocket } from "./circuits_socket.ts";
import type { OnionFlags } from "./onion_flags.ts";

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

/** Opens a way into the onion, as the flags say. */
export type OpenOnion = (io: Io, flags: OnionFlags) => Promise<OnionLink>;

/**
 * Opens a way into the onion, as the flags say. The consensus and the guards are kept from run to run.
 *
 * @throws {UsageError} if no network is named.
 * @throws {ConsensusError | DirectoryError} if it is not known which relays there are.
 */
export async function openOnion(io: Io, flags: OnionFlags): Promise<OnionLink> {
  const hops = hopsOf(flags.hops);
  const network = await networkFrom(io, flags);
  const directory = await openDirectory(io, network);
  const state = await privateDirectory(sottoPaths(io).state);
  const stored = await StoredGuards.open(
    `${state}/guards-${await networkName(network)}.json`,
  );
  try {
    await directory.consensus();
  } catch (error) {
    directory.close();
    throw error;
  }
  const client = new OnionClient({
    directory,
    guards: stored.guards,
    keepGuards: (guards) => stored.keep(guards),
    rules: { hops },
    dial: ({ address: { host, port } }) => dial({ hostname: host, port }),
    random: randomBytes,
    now: () => performance.now(),
    time: () => io.now(),
  });
  const fresh = directory.keepFresh();
  client.prebuild().catch(() => {/* whoever opens a stream is told why */});
  const socket = await CircuitsSocket.open(io, () => client.circuits);
  return {
    opener: client,
    status: () => ({ circuits: client.circuits.length }),
    async close() {
      await socket.close();
      directory.close();
      await client.close();
      await fresh;
    },
  };
}

function hopsOf(text: string | undefined): number {
  const hops = text === undefined ? HOPS_MINIMUM : Number(text);
  if (Number.isInteger(hops) && hops >= HOPS_MINIMUM && hops <= HOPS_LIMIT) {
    return hops;
  }
  throw new UsageError("--hops is out of its range", {
    hint: `${HOPS_MINIMUM} to ${HOPS_LIMIT}`,
  });
}
