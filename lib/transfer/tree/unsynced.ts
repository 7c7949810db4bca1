/** Files that are flushed at the same time. */
const AT_ONCE = 32;

/**
 * What has been written and may not be on the disk yet. Flushing waits for the disk, many files at
 * once, while others go on writing.
 */
export class Unsynced {
  #files = new Set<string>();
  #directories = new Set<string>();
  #last: Promise<void> = Promise.resolve();

  /** Content or length of the file at `path` has changed. */
  addFile(path: string): void {
    this.#files.add(path);
  }

  /** Something has been made or removed in the directory at `path`. */
  addDirectory(path: string): void {
    this.#directories.add(path);
  }

  /** Makes durable all that was added before. Calls are served one behind another. */
  sync(): Promise<void> {
    const next = this.#last.then(() => this.#sync());
    this.#last = next.catch(() => {});
    return next;
  }

  async #sync(): Promise<void> {
    const [files, directories] = [this.#files, this.#directories];
    this.#files = new Set();
    this.#directories = new Set();
    try {
      await eachOf(files, syncFile);
      // A name is on the disk only when its directory is.
      await eachOf(directories, syncDirectory);
    } catch (error) {
      this.#files = this.#files.union(files);
      this.#directories = this.#directories.union(directories);
      throw error;
    }
  }
}

/** Makes the names in the directory at `path` durable. Windows has no such call and needs none. */
export async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path);
  await directory.sync();
}

async function syncFile(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true });
  await file.syncData();
}

async function eachOf(
  paths: Set<string>,
  run: (path: string) => Promise<void>,
): Promise<void> {
  // One iterator, from which each of the runners takes the next.
  const next = paths.values();
  const runner = async () => {
    for (const path of next) await run(path);
  };
  const runners = Array.from(
    { length: Math.min(AT_ONCE, paths.size) },
    runner,
  );
  const failed = (await Promise.allSettled(runners))
    .find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
