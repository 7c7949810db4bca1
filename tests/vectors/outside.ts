import { sha256, utf8 } from "../../lib/protocol/mod.ts";

/** A file of test vectors that nobody in this project wrote. */
export interface OutsideVectors {
  readonly file: string;
  /** SHA-256 of the file, in hex: another file under the same name is refused. */
  readonly sha256: string;
  /** Where the public original lies. */
  readonly source: string;
}

const folder = Deno.env.get("SOTTO_VECTORS");

/**
 * Registers a test over outside vectors. Without the folder that SOTTO_VECTORS names it is reported
 * as ignored, with a line that says where the public file comes from.
 */
export function testVectors<T>(
  vectors: OutsideVectors,
  name: string,
  body: (content: T) => Promise<void>,
): void {
  Deno.test({
    name: folder === undefined
      ? `${name} (set SOTTO_VECTORS to a folder with ${vectors.file}, from ${vectors.source})`
      : name,
    ignore: folder === undefined,
    fn: async () => {
      const text = await Deno.readTextFile(`${folder}/${vectors.file}`);
      const hash = (await sha256(utf8(text))).toHex();
      if (hash !== vectors.sha256) {
        throw new Error(`Cannot use ${vectors.file}: its SHA-256 is ${hash}`);
      }
      await body(JSON.parse(text) as T);
    },
  });
}
