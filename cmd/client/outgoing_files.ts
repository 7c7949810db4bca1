import { AccountError } from "../../lib/account/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  BlobKey,
  blobKeys,
  cutting,
  newSecret,
  scan,
  sealedLength,
  TreeSource,
  upload,
} from "../../lib/transfer/mod.ts";
import type {
  Offer,
  Pacing,
  Scan,
  WritableBlob,
} from "../../lib/transfer/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import { printable } from "../printable.ts";
import { Progress } from "../progress.ts";
import { overFileLink } from "./file_link.ts";
import type { FileLinkOptions } from "./file_link.ts";
import { contentsOf } from "./file_summary.ts";
import type { Contents } from "./file_summary.ts";

/** Files that were found, and will be sent as they are now. */
export class OutgoingFiles implements AsyncDisposable {
  readonly source: TreeSource;
  readonly contents: Contents;
  /** Where standard input was put. */
  readonly #copy: string | undefined;

  private constructor(found: Scan, copy: string | undefined) {
    this.source = new TreeSource(found);
    this.contents = contentsOf(found.manifest);
    this.#copy = copy;
  }

  /**
   * Finds what is at `paths`; "-" is standard input, which is put into a private file first, because
   * what is sent must be there to be sent again. What cannot be sent is said on standard error.
   *
   * @param directory where a private file may lie.
   * @param name for standard input.
   * @throws {ScanError} if there is nothing to send.
   */
  static async find(
    io: Io,
    paths: readonly string[],
    options: {
      readonly directory?: string;
      readonly name: string | undefined;
      readonly quiet: boolean;
    },
  ): Promise<OutgoingFiles> {
    const [only] = paths;
    if (only !== "-") {
      if (options.name !== undefined) {
        throw new UsageError("--name is for standard input only");
      }
      return new OutgoingFiles(
        await found(io, paths, options.quiet),
        undefined,
      );
    }
    if (paths.length > 1) throw new UsageError('"-" stands alone');
    const copy = await Deno.makeTempDir({
      prefix: "sotto-push-",
      ...options.directory === undefined ? {} : { dir: options.directory },
    });
    try {
      const path = `${copy}/${options.name ?? "stdin"}`;
      await keepInput(io, path);
      return new OutgoingFiles(await found(io, [path], options.quiet), copy);
    } catch (error) {
      await Deno.remove(copy, { recursive: true });
      throw error;
    }
  }

  /** A new key for them. Sealing other bytes under it would give both away. */
  async blob(
    secret: Bytes,
    writeCapability: Bytes = newSecret(),
    salt?: Bytes,
  ): Promise<WritableBlob> {
    const { id, inputKey, context } = await blobKeys(secret);
    return {
      id,
      writeCapability,
      key: await BlobKey.create(inputKey, context, salt),
      cutting: cutting(sealedLength(this.source.length)),
    };
  }

  /** What somebody is told of them. */
  offer(secret: Bytes, expiresAt: number): Offer {
    return { secret, ...this.contents, expiresAt };
  }

  /**
   * Sends them.
   *
   * @returns the digest of the blob; `undefined` if it was fetched before the server had said it.
   */
  async send(
    options: FileLinkOptions,
    blob: WritableBlob,
    pace: Pacing | undefined,
  ): Promise<Bytes | undefined> {
    const { io, quiet } = options;
    let stored = 0;
    const progress = new Progress(io, {
      name: this.contents.name,
      total: blob.cutting.size,
      quiet,
    });
    const ticking = setInterval(() => progress.tick(), 1_000);
    try {
      return await overFileLink(
        { ...options, note: (text) => progress.note(text) },
        (link, moved) =>
          upload(link, blob, this.source, {
            ...pace === undefined ? {} : { pace },
            onStored: (bytes) => {
              stored = bytes;
              progress.update(bytes);
              moved();
            },
          }),
      );
    } catch (error) {
      if (isGone(error) && stored === blob.cutting.size) return undefined;
      throw error;
    } finally {
      clearInterval(ticking);
      await progress.finish();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.close();
    if (this.#copy !== undefined) {
      await Deno.remove(this.#copy, { recursive: true });
    }
  }
}

/** Whether the server has no such files, or not any more. */
export function isGone(error: unknown): boolean {
  return error instanceof AccountError && error.reason === "unknown-blob";
}

async function found(
  io: Io,
  paths: readonly string[],
  quiet: boolean,
): Promise<Scan> {
  const result = await scan(paths);
  if (!quiet) {
    for (const { path, why } of result.skipped) {
      await io.stderr.write(`not sent: ${printable(path)}: ${why}\n`);
    }
  }
  if (result.manifest.entries.length === 0) {
    throw new CommandError("Cannot send: nothing is left to send");
  }
  return result;
}

async function keepInput(io: Io, path: string): Promise<void> {
  using file = await Deno.open(path, {
    write: true,
    createNew: true,
    mode: 0o600,
  });
  for (;;) {
    const bytes = await io.stdin.read();
    if (bytes === null) return;
    for (let at = 0; at < bytes.length;) {
      at += await file.write(bytes.subarray(at));
    }
  }
}
