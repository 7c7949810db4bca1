import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import type { NameRules } from "./entry_path.ts";
import { HEAD_BYTES, Layout } from "./layout.ts";
import { MANIFEST_LIMIT, parseManifest } from "./manifest.ts";
import type { Manifest } from "./tree_entry.ts";

/** What the beginning of the sequence says of all the rest. */
export interface Plan {
  /** What is sent. */
  readonly manifest: Manifest;
  /** Where it lies. */
  readonly layout: Layout;
}

/**
 * What an encoded manifest says.
 *
 * @throws {MalformedError} if it is none: see `parseManifest`.
 */
export function planOf(bytes: Bytes, rules: NameRules): Plan {
  const manifest = parseManifest(bytes, rules);
  return { manifest, layout: new Layout(bytes.length, manifest) };
}

/** Gathers the manifest, which comes first and in any pieces. */
export class HeadReader {
  #bytes: Bytes = new Uint8Array(HEAD_BYTES);
  #filled = 0;
  #inManifest = false;

  /** Whether all of it has come. */
  get complete(): boolean {
    return this.#inManifest && this.#filled === this.#bytes.length;
  }

  /** The encoded manifest, once it is complete. */
  get manifest(): Bytes {
    return this.#bytes;
  }

  /**
   * Takes what belongs to the manifest and its length.
   *
   * @returns how many of `bytes` do.
   * @throws {MalformedError} if it is to be longer than `MANIFEST_LIMIT`.
   */
  take(bytes: Bytes): number {
    let taken = this.#fill(bytes);
    if (!this.#inManifest && this.#filled === HEAD_BYTES) {
      const length = new DataView(this.#bytes.buffer).getUint32(0);
      if (length > MANIFEST_LIMIT) {
        throw new MalformedError(
          `Cannot take a manifest: ${length} bytes, at most ${MANIFEST_LIMIT} are allowed`,
        );
      }
      this.#bytes = new Uint8Array(length);
      this.#filled = 0;
      this.#inManifest = true;
      taken += this.#fill(bytes.subarray(taken));
    }
    return taken;
  }

  #fill(bytes: Bytes): number {
    const part = bytes.subarray(0, this.#bytes.length - this.#filled);
    this.#bytes.set(part, this.#filled);
    this.#filled += part.length;
    return part.length;
  }
}
