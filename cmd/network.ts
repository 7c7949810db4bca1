import { Directory, NetworkError, networkOf } from "../lib/directory/mod.ts";
import type { Network } from "../lib/directory/mod.ts";
import {
  parseServerAddress,
  readPrivateFile,
  writePrivateFile,
} from "../lib/identity/mod.ts";
import type { ServerAddress } from "../lib/identity/mod.ts";
import { dial } from "../lib/net/mod.ts";
import type { Bytes } from "../lib/protocol/mod.ts";
import { concat, sha256 } from "../lib/protocol/mod.ts";
import { CommandError, describe, UsageError } from "./errors.ts";
import type { FlagTable } from "./flags.ts";
import type { Io } from "./io.ts";
import { privateDirectory, sottoPaths } from "./paths.ts";

/**
 * Which onion network a command uses: the controllers that it believes. They come from the flags, else
 * from `SOTTO_CONTROLLERS`, else from the file `controllers` among the settings, a line for each.
 *
 * @module
 */

/** The flags that name a network; spread them into a command's own table. */
export const NETWORK_FLAGS = {
  controller: { type: "string", multiple: true },
  quorum: { type: "string" },
} as const satisfies FlagTable;

/** Their values. */
export interface NetworkFlags {
  readonly controller: readonly string[];
  readonly quorum: string | undefined;
}

/** What the help of every command with these flags says. */
export const NETWORK_HELP =
  `  --controller ADDRESS     a controller of the network, sotto://FINGERPRINT@HOST:PORT; several are possible;
                           SOTTO_CONTROLLERS or the file controllers among the settings if not given
  --quorum N               how many of them must agree; more than half if not given
`;

/** Where the controllers stand that a person has chosen. */
export function controllersPath(io: Io): string {
  return `${sottoPaths(io).config}/controllers`;
}

/**
 * The network that flags, environment or settings name.
 *
 * @throws {UsageError} if they name none, or what they name is none.
 */
export async function networkFrom(
  io: Io,
  flags: NetworkFlags,
): Promise<Network> {
  const given = flags.controller.length > 0
    ? flags.controller
    : await settledControllers(io);
  if (given.length === 0) {
    throw new UsageError("no controller is named", {
      hint:
        "--controller sotto://FINGERPRINT@HOST:PORT, or once and for all: sotto client network set ADDRESS...",
    });
  }
  const quorum = flags.quorum === undefined ? undefined : Number(flags.quorum);
  try {
    return networkOf(given.map(controllerOf), quorum);
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    throw new UsageError(describe(error));
  }
}

/** The address of a controller, as a flag or operand. @throws {UsageError} if it is none. */
export function controllerOf(text: string): ServerAddress {
  try {
    return parseServerAddress(text);
  } catch (error) {
    throw new UsageError(describe(error), {
      hint: "a controller is named as sotto://FINGERPRINT@HOST:PORT",
    });
  }
}

/**
 * Which relays there are, with a copy kept among what can be made again.
 *
 * @param failed told what went wrong with one controller while others will do.
 */
export async function openDirectory(
  io: Io,
  network: Network,
  failed?: (error: unknown) => void,
): Promise<Directory> {
  const directory = await privateDirectory(sottoPaths(io).cache);
  const path = `${directory}/consensus-${await networkName(network)}`;
  return await Directory.open({
    network,
    dial: ({ host, port }) => dial({ hostname: host, port }),
    cache: {
      async read() {
        try {
          return await Deno.readFile(path);
        } catch (error) {
          if (error instanceof Deno.errors.NotFound) return undefined;
          throw error;
        }
      },
      async write(bytes) {
        const part = await Deno.makeTempFile({ dir: directory });
        await Deno.writeFile(part, bytes);
        await Deno.rename(part, path);
      },
    },
    now: () => io.now(),
    ...failed === undefined ? {} : { failed },
  });
}

/** A name for what is kept of one network, and must not be mixed with that of another: 16 digits. */
export async function networkName({ controllers }: Network): Promise<string> {
  const prints = controllers.map(({ fingerprint }) => fingerprint!)
    .toSorted((a, b) => a.toHex() < b.toHex() ? -1 : 1);
  const hash: Bytes = await sha256(concat(...prints));
  return hash.toHex().slice(0, 16);
}

/** Writes down the controllers that commands use when no flag names any. */
export async function keepControllers(
  io: Io,
  controllers: readonly string[],
): Promise<void> {
  await privateDirectory(sottoPaths(io).config);
  await writePrivateFile(controllersPath(io), `${controllers.join("\n")}\n`);
}

async function settledControllers(io: Io): Promise<readonly string[]> {
  const set = io.env("SOTTO_CONTROLLERS");
  if (set !== undefined) return set.split(/[\s,]+/).filter((each) => each);
  const path = controllersPath(io);
  try {
    const text = await readPrivateFile(path);
    return text.split("\n").map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return [];
    throw new CommandError(`Cannot use ${path}`, { cause });
  }
}
