import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { printable } from "../printable.ts";
import { formatDigest } from "./file_summary.ts";
import type { Destination, Fetched } from "./incoming_files.ts";

/** What the flags of `RECEIVING_FLAGS` say of the place. */
export async function destinationOf(
  io: Io,
  flags: {
    readonly to: string | undefined;
    readonly output: string | undefined;
    readonly replace: boolean;
    readonly json: boolean;
  },
): Promise<Destination> {
  const { to, output, replace } = flags;
  if (to !== undefined && output !== undefined) {
    throw new UsageError("--to and --output exclude each other");
  }
  if (output === "-" && flags.json) {
    throw new UsageError("--output - and --json both want standard output");
  }
  if (output === "-" && io.stdout.isTerminal) {
    throw new UsageError("files are not written to a terminal", {
      hint: "write them to a file, or pipe them into a command",
    });
  }
  const directory = to ?? ".";
  try {
    const { isDirectory } = await Deno.stat(directory);
    if (!isDirectory) throw new UsageError(`${directory} is no directory`);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new CommandError(`Cannot use ${directory}`, { cause });
  }
  return { directory, output, replace };
}

/**
 * Shows what is offered and asks whether to fetch it.
 *
 * @throws {CommandError} if the person does not want it.
 * @throws {UsageError} if nobody is there to ask.
 */
export async function agree(
  io: Io,
  flags: { readonly yes: boolean; readonly quiet: boolean },
  offer: string,
): Promise<void> {
  if (flags.yes) {
    if (!flags.quiet) await io.stderr.write(`${offer}\n`);
    return;
  }
  const answer = await io.prompt(`${offer}\nFetch it? [Y/n] `);
  if (answer === null) {
    throw new UsageError("nobody is there to ask", {
      hint: "--yes fetches without asking",
    });
  }
  if (!/^(y|yes|)$/i.test(answer.trim())) {
    throw new CommandError("Not fetched; the offer stays until it expires");
  }
}

/** Says where it lies. */
export async function sayFetched(
  io: Io,
  flags: { readonly json: boolean; readonly quiet: boolean },
  { paths, digest }: Fetched,
  facts: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (flags.json) {
    const summary = {
      ...facts,
      paths,
      ...digest === undefined ? {} : { digest: formatDigest(digest) },
    };
    return await io.stdout.write(`${JSON.stringify(summary)}\n`);
  }
  if (flags.quiet) return;
  for (const path of paths) {
    if (path !== "-") await io.stderr.write(`${printable(path)}\n`);
  }
  await io.stderr.write(
    digest === undefined
      ? "fetched\n"
      : `fetched, digest ${formatDigest(digest)}\n`,
  );
}
