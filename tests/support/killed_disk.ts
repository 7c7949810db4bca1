/** What changes something on the disk; those that open do so only if they may write. */
const CHANGES = [
  ...["mkdir", "open", "remove", "rename"],
  ...["chmodSync", "mkdirSync", "openSync", "removeSync", "renameSync"],
  ...["symlinkSync", "utimeSync", "writeFileSync", "writeTextFileSync"],
] as const;

type Call = (...args: unknown[]) => unknown;

/**
 * A disk on which nothing can be done any more from a certain step on, as by a process that was
 * killed: every call that would change something below a directory throws instead.
 */
export class KilledDisk implements Disposable {
  readonly #functions = Deno as unknown as Record<string, Call>;
  readonly #originals: ReadonlyMap<string, Call>;
  #left: number;

  private constructor(directory: string, steps: number) {
    this.#left = steps;
    this.#originals = new Map(
      CHANGES.map((name) => [name, this.#functions[name]!]),
    );
    for (const [name, original] of this.#originals) {
      this.#functions[name] = (...args) => {
        const isOther = isReading(name, args) ||
          !args.some((each) => `${each}`.startsWith(`${directory}/`));
        if (isOther || this.#left-- > 0) return original(...args);
        if (this.#left === -1) this.#removeHalf(name, args);
        throw new Error("killed");
      };
    }
  }

  /**
   * Runs `work` with a disk that lets `steps` changes happen below `directory`.
   *
   * @returns whether it was killed; `false` if it came to its end before.
   * @throws what `work` fails with otherwise.
   */
  static async after(
    directory: string,
    steps: number,
    work: () => Promise<unknown>,
  ): Promise<boolean> {
    using disk = new KilledDisk(directory, steps);
    try {
      await work();
    } catch (error) {
      if (disk.#left >= 0) throw error;
    }
    return disk.#left < 0;
  }

  /** Whoever is killed while a directory is removed leaves some of what was in it. */
  #removeHalf(name: string, [path, options]: readonly unknown[]): void {
    const all = (options as Deno.RemoveOptions | undefined)?.recursive === true;
    if (name !== "removeSync" || !all) return;
    const inside = Array.from(Deno.readDirSync(`${path}`), (each) => each.name);
    const remove = this.#originals.get(name)!;
    for (const each of inside.toSorted().slice(inside.length / 2)) {
      remove(`${path}/${each}`, options);
    }
  }

  [Symbol.dispose](): void {
    for (const [name, original] of this.#originals) {
      this.#functions[name] = original;
    }
  }
}

function isReading(name: string, args: readonly unknown[]): boolean {
  if (name !== "open" && name !== "openSync") return false;
  const options = args[1] as Deno.OpenOptions | undefined;
  return options?.write !== true;
}
