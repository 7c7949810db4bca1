import type { Bytes } from "../protocol/mod.ts";
import type { Cutting } from "./pieces.ts";
import { dataPath, mapPath, SpoolBlob } from "./spool_blob.ts";

interface Open {
  readonly blob: Promise<SpoolBlob>;
  users: number;
}

/** The directory in which blobs lie, two files each; those who use one at the same time share it. */
export class Spool {
  readonly #directory: string;
  readonly #open = new Map<string, Open>();

  /** `directory` is there, and nobody else's. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Lets `work` use a blob, which is made if it is not there. */
  async use<T>(
    id: Bytes,
    cutting: Cutting,
    work: (blob: SpoolBlob) => Promise<T>,
  ): Promise<T> {
    const name = id.toHex();
    let open = this.#open.get(name);
    if (open === undefined) {
      const blob = SpoolBlob.open(this.#path(name), cutting);
      open = { blob, users: 0 };
      this.#open.set(name, open);
    }
    open.users++;
    try {
      return await work(await open.blob);
    } finally {
      if (--open.users === 0) {
        this.#open.delete(name);
        const blob = await open.blob.catch(() => undefined);
        await blob?.close();
      }
    }
  }

  /** Deletes a blob. Whoever uses it goes on with what is no longer there. */
  async remove(id: Bytes): Promise<void> {
    await this.#remove(id.toHex());
  }

  /**
   * Deletes what is not among `ids`: what expired, or was left by a server that was killed.
   *
   * @param ids is asked when it is known what lies here: a blob that comes meanwhile stays.
   */
  async keepOnly(ids: () => Promise<readonly Bytes[]>): Promise<void> {
    const gone = new Set<string>();
    for await (const { name } of Deno.readDir(this.#directory)) {
      const [id = ""] = name.split(".");
      gone.add(id);
    }
    for (const id of await ids()) gone.delete(id.toHex());
    for (const id of gone) await this.#remove(id);
  }

  #path(name: string): string {
    return `${this.#directory}/${name}`;
  }

  async #remove(name: string): Promise<void> {
    const path = this.#path(name);
    for (const file of [mapPath(path), dataPath(path)]) {
      try {
        await Deno.remove(file);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }
}
