import { AccountError } from "../../lib/account/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  blobKeys,
  download,
  PartError,
  SingleFileSink,
  TreeWriter,
} from "../../lib/transfer/mod.ts";
import type {
  BlobKeys,
  ByteSink,
  Manifest,
  Pacing,
} from "../../lib/transfer/mod.ts";
import { CommandError } from "../errors.ts";
import { Progress } from "../progress.ts";
import { claimOf, forgetClaim, forgetOldClaims } from "./claims.ts";
import { FetchNotes, partId } from "./fetch_notes.ts";
import { overFileLink } from "./file_link.ts";
import type { FileLinkOptions } from "./file_link.ts";
import { contentsOf } from "./file_summary.ts";
import type { Contents } from "./file_summary.ts";
import { removeIfThere } from "./remove_if_there.ts";

/** Where files go that are fetched. */
export interface Destination {
  /** A directory that is there. */
  readonly directory: string;
  /** One file, or "-" for standard output, instead. */
  readonly output: string | undefined;
  /** Whether what has the same name makes way. */
  readonly replace: boolean;
}

/** What came of it. */
export interface Fetched {
  /** `undefined` if the server did not say it, because all had come before. */
  readonly digest: Bytes | undefined;
  /** Where it lies; "-" on standard output. */
  readonly paths: readonly string[];
}

export interface FetchOptions extends FileLinkOptions {
  readonly pace: Pacing | undefined;
  /**
   * Told what comes, before any of it is where it should be; may refuse it by throwing. Without it, it
   * was agreed on before.
   */
  readonly agree?: (contents: Contents) => Promise<void>;
  /**
   * Told where all lies, before it is forgotten how it came there: again by a later process if this one
   * ends meanwhile.
   */
  readonly placed?: (paths: readonly string[]) => Promise<void>;
}

/**
 * Fetches files. What was broken off goes on where it was, also in another process; what is whole is
 * moved to its place at once.
 *
 * @param name for the person, until the files say their own.
 */
export async function fetchFiles(
  options: FetchOptions,
  secret: Bytes,
  name: string,
  destination: Destination,
): Promise<Fetched> {
  await forgetOldClaims(options.io);
  const keys = await blobKeys(secret);
  const fetching = new Fetching(options, keys, name);
  const ticking = setInterval(() => fetching.tick(), 1_000);
  try {
    return destination.output === undefined
      ? await fetching.intoDirectory(destination)
      : await fetching.intoFile(destination.output, destination.replace);
  } finally {
    clearInterval(ticking);
    await fetching.end();
  }
}

class Fetching {
  readonly #options: FetchOptions;
  readonly #keys: BlobKeys;
  /** There when it is agreed that the files are wanted. */
  #progress: Progress | undefined;
  #isAsking = false;

  constructor(options: FetchOptions, keys: BlobKeys, name: string) {
    this.#options = options;
    this.#keys = keys;
    if (options.agree === undefined) this.#show(name);
  }

  tick(): void {
    this.#progress?.tick();
  }

  async end(): Promise<void> {
    await this.#progress?.finish();
  }

  async #note(text: string): Promise<void> {
    if (this.#progress !== undefined) return await this.#progress.note(text);
    await this.#options.io.stderr.write(`${text}\n`);
  }

  #show(name: string): void {
    const { io, quiet } = this.#options;
    this.#progress = new Progress(io, { name, quiet });
  }

  /** Asks once, when it has become known what comes. */
  async #agree(manifest: Manifest | undefined): Promise<void> {
    if (this.#progress !== undefined || manifest === undefined) return;
    const contents = contentsOf(manifest);
    this.#isAsking = true;
    await this.#options.agree?.(contents);
    this.#isAsking = false;
    this.#show(contents.name);
  }

  async intoDirectory(destination: Destination): Promise<Fetched> {
    const { directory } = destination;
    const id = partId(this.#keys.id);
    const notes = new FetchNotes(directory, id);
    const before = await notes.read();
    let fetched: Fetched;
    if (typeof before === "number") {
      const writer = await openWriter(directory, id, before);
      fetched = await this.#receive(writer, notes, destination.replace);
    } else {
      // Of an earlier process, which may not have removed all that it had needed.
      (await TreeWriter.open(directory, id)).discard();
      fetched = { digest: undefined, paths: before };
    }
    await this.#done(fetched);
    await notes.forget();
    return fetched;
  }

  /** All is in its place; until now the server must know who comes again: anybody else is one more. */
  async #done({ paths }: Fetched): Promise<void> {
    await this.#options.placed?.(paths);
    await forgetClaim(this.#options.io, this.#keys.id);
  }

  async #receive(
    writer: TreeWriter,
    notes: FetchNotes,
    replace: boolean,
  ): Promise<Fetched> {
    /** Nothing that came is of use. */
    let isBad = false;
    try {
      const digest = await this.#rest(writer, {
        write: async (at, bytes) => {
          try {
            await writer.write(at, bytes);
            await this.#agree(writer.manifest);
          } catch (error) {
            // What was sealed is not what it should be, or is not wanted.
            isBad = error instanceof MalformedError ||
              error instanceof CommandError;
            throw error;
          }
        },
        async sync() {
          const durable = await writer.sync();
          if (durable > 0) await notes.noteOffset(durable);
        },
      });
      const paths = await writer.finish({
        replace,
        placed: (paths) => notes.notePlaced(paths),
      });
      return { digest, paths };
    } catch (error) {
      const nothing = error instanceof AccountError && writer.offset === 0;
      if (isBad || nothing) {
        writer.discard();
        await notes.forget();
      } else writer.close();
      throw error;
    }
  }

  /** Fetches what is not there yet. A server that was told that all came knows nothing of it any more. */
  async #rest(
    taken: Pick<TreeWriter, "offset" | "length">,
    sink: ByteSink,
  ): Promise<Bytes | undefined> {
    try {
      return await this.#fetch(() => taken.offset, sink);
    } catch (error) {
      const isWhole = taken.offset === taken.length;
      if (isWhole && error instanceof AccountError) return undefined;
      throw error;
    }
  }

  async intoFile(output: string, replace: boolean): Promise<Fetched> {
    if (output === "-") {
      const { stdout } = this.#options.io;
      const fetched = await this.#intoSink("-", (bytes) => stdout.write(bytes));
      await this.#done(fetched);
      return fetched;
    }
    using file = await openOutput(output, replace);
    let isBegun = false;
    const begin = async () => {
      if (!isBegun) await file.truncate();
      isBegun = true;
    };
    try {
      const fetched = await this.#intoSink(output, async (bytes) => {
        await begin();
        for (let at = 0; at < bytes.length;) {
          at += await file.write(bytes.subarray(at));
        }
      });
      await begin();
      await this.#done(fetched);
      return fetched;
    } catch (error) {
      // Nothing came: nothing is left of it.
      if (!isBegun && !replace) await removeIfThere(output);
      throw error;
    }
  }

  async #intoSink(
    path: string,
    write: (bytes: Bytes) => Promise<void>,
  ): Promise<Fetched> {
    const sink: SingleFileSink = new SingleFileSink(async (bytes) => {
      await this.#agree(sink.manifest);
      await write(bytes);
    });
    const digest = await this.#rest(sink, {
      write: (at, bytes) => sink.write(at, bytes),
      sync: () => Promise.resolve(),
    });
    sink.finish();
    return { digest, paths: [path] };
  }

  async #fetch(
    offset: () => number,
    sink: ByteSink,
  ): Promise<Bytes> {
    const { io, pace } = this.#options;
    const { id } = this.#keys;
    const claim = await claimOf(io, id);
    try {
      return await overFileLink(
        {
          ...this.#options,
          isAsking: () => this.#isAsking,
          note: (text) => this.#note(text),
        },
        (link, moved, signal) =>
          download(link, { keys: this.#keys, claim, from: offset() }, sink, {
            ...pace === undefined ? {} : { pace },
            signal,
            onWritten: (bytes, of) => {
              this.#progress?.update(bytes, of);
              moved();
            },
          }),
      );
    } catch (error) {
      const isUseless = error instanceof AccountError &&
        (error.reason === "unknown-blob" || error.reason === "blob-taken");
      if (isUseless) await forgetClaim(io, id);
      throw error;
    }
  }
}

/** Goes on at `offset`, or begins again if what was there is not any more. */
async function openWriter(
  directory: string,
  id: string,
  offset: number,
): Promise<TreeWriter> {
  try {
    return await TreeWriter.open(directory, id, offset);
  } catch (error) {
    const isLost = error instanceof PartError && error.code === "ERR_PART_LOST";
    if (!isLost || offset === 0) throw error;
    return await TreeWriter.open(directory, id);
  }
}

/** What is replaced stays as it is until something comes. */
async function openOutput(
  path: string,
  replace: boolean,
): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, {
      write: true,
      create: replace,
      createNew: !replace,
    });
  } catch (cause) {
    throw new CommandError(`Cannot write ${path}`, {
      cause,
      ...cause instanceof Deno.errors.AlreadyExists
        ? { hint: "--replace overwrites it" }
        : {},
    });
  }
}
