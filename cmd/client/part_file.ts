import { CommandError } from "../errors.ts";
import type { FetchSink } from "./fetch_resumed.ts";
import type { Resource } from "./resource.ts";

/**
 * A file that is being fetched: `FILE.part` until it is whole, with what is known of it in
 * `FILE.part.json`.
 */
export class PartFile implements FetchSink {
  /** What was known when it was opened, if it goes on where it was. */
  readonly known: Resource | undefined;
  readonly #path: string;
  readonly #url: string;
  readonly #file: Deno.FsFile;
  #length: number;

  private constructor(
    path: string,
    url: string,
    file: Deno.FsFile,
    known: Resource | undefined,
    length: number,
  ) {
    this.#path = path;
    this.#url = url;
    this.#file = file;
    this.known = known;
    this.#length = length;
  }

  /**
   * Opens the part of `path`.
   *
   * @param resume goes on where it was, if it is of the same URL and the server can tell a change.
   * @throws {CommandError} if it cannot be written, or somebody else does.
   */
  static async open(
    path: string,
    url: string,
    resume: boolean,
  ): Promise<PartFile> {
    const file = await openPart(partPath(path));
    try {
      const known = resume ? await readRecord(path, url) : undefined;
      if (known === undefined) await file.truncate(0);
      const length = await file.seek(0, Deno.SeekMode.End);
      return new PartFile(path, url, file, known, length);
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#length;
  }

  /** Adds all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#file.write(bytes.subarray(at));
      }
    } catch (cause) {
      throw new CommandError(`Cannot write ${partPath(this.#path)}`, { cause });
    }
    this.#length += bytes.length;
  }

  /** As {@linkcode FetchSink.restart}. */
  async restart(): Promise<boolean> {
    await this.#file.truncate(0);
    await this.#file.seek(0, Deno.SeekMode.Start);
    this.#length = 0;
    return true;
  }

  /** As {@linkcode FetchSink.remember}. */
  async remember({ validator, total }: Resource): Promise<void> {
    const record = { url: this.#url, validator, total };
    await Deno.writeTextFile(
      recordPath(this.#path),
      `${JSON.stringify(record)}\n`,
    );
  }

  /** It is whole: the part becomes the file. */
  async complete(): Promise<void> {
    await this.#file.syncData();
    await Deno.rename(partPath(this.#path), this.#path);
    await Deno.remove(recordPath(this.#path)).catch(() => {/* was none */});
  }

  /** Lets go of it; what is there stays, unless there is nothing. */
  async close(): Promise<void> {
    this.#file.close();
    if (this.#length > 0) return;
    for (const path of [partPath(this.#path), recordPath(this.#path)]) {
      await Deno.remove(path).catch(() => {/* it has become the file */});
    }
  }
}

function partPath(path: string): string {
  return `${path}.part`;
}

function recordPath(path: string): string {
  return `${path}.part.json`;
}

async function openPart(path: string): Promise<Deno.FsFile> {
  let file;
  try {
    file = await Deno.open(path, { create: true, read: true, write: true });
  } catch (cause) {
    throw new CommandError(`Cannot write ${path}`, { cause });
  }
  if (await file.tryLock(true)) return file;
  file.close();
  throw new CommandError(`Cannot write ${path}: another sotto is at it`, {
    hint: "wait until it is done, or stop it",
  });
}

/** What was kept about the part, if it is about the same URL and good for going on. */
async function readRecord(
  path: string,
  url: string,
): Promise<Resource | undefined> {
  let record: unknown;
  try {
    record = JSON.parse(await Deno.readTextFile(recordPath(path)));
  } catch {
    return undefined;
  }
  if (typeof record !== "object" || record === null) return undefined;
  const { url: from, validator, total }: Readonly<Record<string, unknown>> = {
    ...record,
  };
  if (from !== url || typeof validator !== "string") return undefined;
  if (!/^[\x20-\x7e]+$/.test(validator)) return undefined;
  return {
    validator,
    total: Number.isSafeInteger(total) ? Number(total) : undefined,
  };
}
