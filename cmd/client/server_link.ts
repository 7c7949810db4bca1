import { about, accountLink } from "../../lib/account/mod.ts";
import type { About } from "../../lib/account/mod.ts";
import type { NodeCertificate, ServerAddress } from "../../lib/identity/mod.ts";
import {
  formatFingerprint,
  formatServerAddress,
  KnownServers,
  parseNodeCertificate,
  parseServerAddress,
  readPrivateFile,
  ServerKeyChangedError,
  writePrivateFile,
} from "../../lib/identity/mod.ts";
import { Caller, equalConstantTime } from "../../lib/protocol/mod.ts";
import type {
  ByteStream,
  CommandChannel,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import { CommandError, describe, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { sottoPaths } from "../paths.ts";
import type { Route } from "./route.ts";

/** A connection to a server whose key was checked. */
export interface ServerLink {
  readonly link: CommandChannel;
  readonly node: NodeCertificate;
}

/** The address of a server as a flag or operand. */
export function serverOf(text: string): ServerAddress {
  try {
    return parseServerAddress(text);
  } catch (error) {
    throw new UsageError(describe(error), {
      hint: "HOST, HOST:PORT or sotto://FINGERPRINT@HOST:PORT",
    });
  }
}

/**
 * Connects, asks for the server's keys, holds them against what is known, and shakes hands (S0.2,
 * S1.2, S3.1). A server that was never seen is pinned, with a word on standard error.
 *
 * @param vocabulary of what is said besides accounts.
 * @throws {ServerKeyChangedError} if the server shows another key than before.
 * @throws {CommandError} if it shows another one than its address names, or the pins cannot be read.
 */
export async function connectToServer(
  io: Io,
  route: Route,
  server: ServerAddress,
  signal?: AbortSignal,
  vocabulary?: Vocabulary,
): Promise<ServerLink> {
  const stream = await route.dial(server, signal);
  const drop = () => closeStream(stream);
  signal?.addEventListener("abort", drop);
  try {
    const caller = new Caller(stream);
    const node = await parseNodeCertificate(await caller.publicKey());
    await checkPin(io, server, node);
    const link = accountLink(await caller.connect(node.dhKey), vocabulary);
    signal?.throwIfAborted();
    return { link, node };
  } catch (error) {
    drop();
    throw error;
  } finally {
    signal?.removeEventListener("abort", drop);
  }
}

/** Closes what may have been closed already, by whoever gave it up. */
function closeStream(stream: ByteStream): void {
  try {
    stream.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

/**
 * What a server says about itself, over a connection of its own: a person who is asked something next
 * may take longer to answer than a server waits for a login.
 */
export async function aboutServer(
  io: Io,
  route: Route,
  server: ServerAddress,
): Promise<About & { readonly node: NodeCertificate }> {
  const { link, node } = await connectToServer(io, route, server, io.signal);
  try {
    return { ...await about(link), node };
  } finally {
    await link.close();
  }
}

/** Where the pins are kept. */
export function knownServersPath(io: Io): string {
  return `${sottoPaths(io).config}/known_servers`;
}

async function checkPin(
  io: Io,
  server: ServerAddress,
  { fingerprint }: NodeCertificate,
): Promise<void> {
  const { host, port } = server;
  const at = formatServerAddress({ host, port });
  if (
    server.fingerprint !== undefined &&
    !equalConstantTime(server.fingerprint, fingerprint)
  ) {
    throw new CommandError(
      `Cannot trust ${at}: IT DOES NOT HAVE THE KEY THAT ITS ADDRESS NAMES, somebody may be between you and the server`,
      {
        hint: `it shows ${
          formatFingerprint(fingerprint)
        }; ask whoever runs it, by another way, for the address`,
      },
    );
  }
  const path = knownServersPath(io);
  const known = await readKnown(path);
  const verdict = known.check(host, port, fingerprint);
  if (verdict === "match") return;
  if (verdict !== "new") {
    throw new ServerKeyChangedError(at, verdict.changed, fingerprint);
  }
  await writePrivateFile(path, known.with(host, port, fingerprint).format());
  if (server.fingerprint !== undefined) return;
  await io.stderr.write(
    `${at} is new here; from now on it must show this fingerprint:\n  ${
      formatFingerprint(fingerprint)
    }\n`,
  );
}

async function readKnown(path: string): Promise<KnownServers> {
  try {
    return KnownServers.parse(await readPrivateFile(path));
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return KnownServers.parse("");
    throw new CommandError(`Cannot use ${path}`, { cause });
  }
}
