/**
 * The network of controllers and relays, as commands are told of it: by flags, else by the environment,
 * else by the file that `sotto client network set` writes.
 *
 * @module
 */
import {
  consensusFile,
  Directory,
  NetworkError,
  networkOf,
} from "../lib/directory/mod.ts";
import type { DialController, Network } from "../lib/directory/mod.ts";
import {
  formatServerAddress,
  parseServerAddress,
  readPrivateFile,
  writePrivateFile,
} from "../lib/identity/mod.ts";
import type { ServerAddress } from "../lib/identity/mod.ts";
import { dial } from "../lib/net/mod.ts";
import { sha256, utf8 } from "../lib/protocol/mod.ts";
import { CommandError, describe, UsageError } from "./errors.ts";
import type { Io } from "./io.ts";
import type { NetworkFlags } from "./network_flags.ts";
import { sottoPaths } from "./paths.ts";

/** The variable that names controllers, parted by blanks. */
const VARIABLE = "SOTTO_CONTROLLERS";

/**
 * The network that the flags name, or the environment, or the file.
 *
 * @throws {UsageError} if what they say is no network, or nobody says which.
 */
export async function networkFrom(
  io: Io,
  flags: NetworkFlags,
): Promise<Network> {
  const quorum = quorumOf(flags.quorum);
  if (flags.controller.length > 0) {
    return makeNetwork(flags.controller, quorum);
  }
  const variable = io.env(VARIABLE)?.trim();
  if (variable !== undefined && variable !== "") {
    return makeNetwork(variable.split(/[\s,]+/), quorum);
  }
  const kept = await readControllers(io);
  if (kept !== undefined) {
    return makeNetwork(kept.addresses, quorum ?? kept.quorum);
  }
  throw new UsageError("no controller is named", {
    hint:
      "--controller sotto://FINGERPRINT@HOST:PORT, or once and for all: sotto client network set ADDRESS...",
  });
}

/**
 * A network of these addresses.
 *
 * @throws {UsageError} if they are none.
 */
export function makeNetwork(
  addresses: readonly string[],
  quorum: number | undefined,
): Network {
  try {
    return networkOf(addresses.map(controllerOf), quorum);
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    throw new UsageError(describe(error), {
      hint: "each controller once, and a --quorum of more than half of them",
    });
  }
}

/** The number that `--quorum` gives. @throws {UsageError} if it is none. */
export function quorumOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9][0-9]?$/.test(text)) {
    throw new UsageError("--quorum needs a number from 1 on");
  }
  return Number(text);
}

/** What `sotto client network set` has written, if it has. */
export async function readControllers(
  io: Io,
): Promise<{ addresses: string[]; quorum: number | undefined } | undefined> {
  const path = controllersPath(io);
  let text: string;
  try {
    text = await readPrivateFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new CommandError(`Cannot use ${path}`, { cause });
  }
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");
  const quorum = lines.find((line) => line.startsWith("quorum "));
  return {
    addresses: lines.filter((line) => line !== quorum),
    quorum: quorumOf(quorum?.slice("quorum ".length).trim()),
  };
}

/** Writes the file that commands read where nothing else names the controllers. */
export async function writeControllers(
  io: Io,
  { controllers, quorum }: Network,
): Promise<string> {
  const path = controllersPath(io);
  const lines = controllers.map(formatServerAddress);
  const text = `# The controllers of the network, and how many must agree.\n${
    lines.join("\n")
  }\nquorum ${quorum}\n`;
  try {
    await writePrivateFile(path, text);
  } catch (cause) {
    throw new CommandError(`Cannot write ${path}`, { cause });
  }
  return path;
}

/** A name for what is kept of a network, the same for the same controllers: 32 hexadecimal digits. */
export async function networkName({ controllers }: Network): Promise<string> {
  const prints = controllers.map(({ fingerprint }) => fingerprint!.toHex());
  const hash = await sha256(utf8(prints.sort().join(" ")));
  return hash.toHex().slice(0, 32);
}

/**
 * The directory of this network, with its copy in the file `path`; in the cache if not given.
 *
 * @param failed told of what goes wrong while something else will do.
 */
export async function openDirectory(
  io: Io,
  network: Network,
  failed: (error: unknown) => void = () => {},
  path?: string,
): Promise<Directory> {
  const copy = path ?? await copyOf(io, network);
  return await Directory.open({
    network,
    dial: dialNode,
    cache: consensusFile(copy),
    now: () => io.now(),
    failed,
  });
}

/** Forgets the copy of a network's consensus: the next one is believed as the first was. */
export async function forgetConsensus(io: Io, network: Network): Promise<void> {
  await Deno.remove(await copyOf(io, network)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

async function copyOf(io: Io, network: Network): Promise<string> {
  return `${sottoPaths(io).cache}/consensus/${await networkName(network)}`;
}

/** Connects to a controller, over TCP. */
export const dialNode: DialController = ({ host, port }, signal) =>
  dial({ hostname: host, port, signal });

function controllersPath(io: Io): string {
  return `${sottoPaths(io).config}/controllers`;
}

function controllerOf(text: string): ServerAddress {
  const hint = "a controller is sotto://FINGERPRINT@HOST:PORT, as it prints it";
  let address: ServerAddress;
  try {
    address = parseServerAddress(text);
  } catch (error) {
    throw new UsageError(describe(error), { hint });
  }
  if (address.fingerprint === undefined) {
    throw new UsageError(`not the address of a controller: ${text}`, { hint });
  }
  return address;
}
