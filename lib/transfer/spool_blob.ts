import { HASH_BYTES, sha256 } from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { PIECE_BYTES, pieceLength } from "./pieces.ts";
import type { Cutting } from "./pieces.ts";

/**
 * A blob on disk: its pieces at their places in one file, and a map of their hashes in another, 32
 * zeros where none has arrived. The map is written only when the piece itself is on disk, so that
 * what it names is there whatever happens.
 */
export class SpoolBlob {
  readonly cutting: Cutting;
  readonly #data: Deno.FsFile;
  /** A handle of its own: a flush must not make writes wait. */
  readonly #flushed: Deno.FsFile;
  readonly #mapFile: Deno.FsFile;
  readonly #map: Bytes;
  readonly #path: string;
  #missing: number;
  /** Where the next write would go by itself. */
  #position = 0;
  #writing: Promise<unknown> = Promise.resolve();
  #unsaved: { index: number; hash: Bytes }[] = [];
  #saving: Promise<void> | undefined;
  readonly #under = new Map<number, Promise<void>>();
  readonly #watchers = new Set<() => void>();

  private constructor(
    path: string,
    cutting: Cutting,
    files: readonly [Deno.FsFile, Deno.FsFile, Deno.FsFile],
    map: Bytes,
  ) {
    this.#path = path;
    this.cutting = cutting;
    [this.#data, this.#flushed, this.#mapFile] = files;
    this.#map = map;
    this.#missing = 0;
    for (let i = 0; i < cutting.count; i++) if (!this.has(i)) this.#missing++;
  }

  /** Opens the blob at `path` (without ending), or makes it. */
  static async open(path: string, cutting: Cutting): Promise<SpoolBlob> {
    const options = { read: true, write: true, create: true, mode: 0o600 };
    const files: Deno.FsFile[] = [];
    try {
      for (const name of [dataPath(path), dataPath(path), mapPath(path)]) {
        files.push(await Deno.open(name, options));
      }
      const [data, flushed, mapFile] = files as [
        Deno.FsFile,
        Deno.FsFile,
        Deno.FsFile,
      ];
      const map = new Uint8Array(cutting.count * HASH_BYTES);
      for (let at = 0; at < map.length;) {
        const count = await mapFile.read(map.subarray(at));
        if (count === null) break;
        at += count;
      }
      return new SpoolBlob(path, cutting, [data, flushed, mapFile], map);
    } catch (error) {
      for (const file of files) file.close();
      throw error;
    }
  }

  /** Whether every piece has arrived. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Whether piece `index` has arrived and is on disk. */
  has(index: number): boolean {
    const hash = this.hash(index);
    return hash.some((byte) => byte !== 0);
  }

  /** SHA-256 of piece `index`. */
  hash(index: number): Bytes {
    return this.#map.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);
  }

  /** SHA-256 over the hashes of all pieces. */
  digest(): Promise<Bytes> {
    return sha256(this.#map);
  }

  /** Takes in a piece whose hash was checked; resolves when it is on disk. */
  put(index: number, body: Bytes, hash: Bytes): Promise<void> {
    if (this.has(index)) return Promise.resolve();
    const under = this.#under.get(index);
    if (under !== undefined) return under;
    const putting = this.#put(index, body, hash)
      .finally(() => this.#under.delete(index));
    this.#under.set(index, putting);
    return putting;
  }

  async #put(index: number, body: Bytes, hash: Bytes): Promise<void> {
    const written = this.#writing.then(() => this.#write(index, body));
    this.#writing = written.catch(() => {/* told to whoever put it */});
    await written;
    this.#unsaved.push({ index, hash });
    // Those that come meanwhile share the next flush.
    while (!this.has(index)) {
      this.#saving ??= this.#save().finally(() => this.#saving = undefined);
      await this.#saving;
    }
  }

  async #write(index: number, body: Bytes): Promise<void> {
    const offset = index * PIECE_BYTES;
    if (this.#position !== offset) {
      this.#data.seekSync(offset, Deno.SeekMode.Start);
    }
    this.#position = -1;
    for (let at = 0; at < body.length;) {
      at += await this.#data.write(body.subarray(at));
    }
    this.#position = offset + body.length;
  }

  async #save(): Promise<void> {
    const saved = this.#unsaved;
    this.#unsaved = [];
    try {
      await this.#flushed.syncData();
      for (const { index, hash } of saved) {
        this.#mapFile.seekSync(index * HASH_BYTES, Deno.SeekMode.Start);
        for (let at = 0; at < hash.length;) {
          at += this.#mapFile.writeSync(hash.subarray(at));
        }
      }
      await this.#mapFile.syncData();
    } catch (error) {
      this.#unsaved.push(...saved);
      throw error;
    }
    for (const { index, hash } of saved) {
      // A piece that could not be saved at first is here twice when it comes again.
      if (!this.has(index)) this.#missing--;
      this.#map.set(hash, index * HASH_BYTES);
    }
    for (const wake of this.#watchers) wake();
  }

  /** Calls `wake` whenever more has arrived. @returns what ends that. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => void this.#watchers.delete(wake);
  }

  /** A reader of its own: readers do not wait for each other or for the writer. */
  async reader(): Promise<PieceReader> {
    return new PieceReader(
      await Deno.open(dataPath(this.#path)),
      this.cutting,
    );
  }

  /** Lets go of the files, when nobody uses them any more. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#saving?.catch(() => {/* told to whoever put it */});
    for (const file of [this.#data, this.#flushed, this.#mapFile]) file.close();
  }
}

/** Reads pieces of a blob, one after the other. */
export class PieceReader implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #cutting: Cutting;
  #position = 0;

  constructor(file: Deno.FsFile, cutting: Cutting) {
    this.#file = file;
    this.#cutting = cutting;
  }

  /** Piece `index`, as it is on disk, at the beginning of `into`; one call at a time. */
  async read(index: number, into: Bytes): Promise<Bytes> {
    const offset = index * PIECE_BYTES;
    if (this.#position !== offset) {
      this.#file.seekSync(offset, Deno.SeekMode.Start);
    }
    const piece = into.subarray(0, pieceLength(this.#cutting, index));
    for (let at = 0; at < piece.length;) {
      const count = await this.#file.read(piece.subarray(at));
      if (count === null) throw new Error("Cannot read a piece: it is gone");
      at += count;
    }
    this.#position = offset + piece.length;
    return piece;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/** Where the pieces are. */
export function dataPath(path: string): string {
  return `${path}.blob`;
}

/** Where the map is. */
export function mapPath(path: string): string {
  return `${path}.map`;
}
