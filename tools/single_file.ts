import { concat, sha256 } from "../lib/protocol/mod.ts";
import type { Bytes } from "../lib/protocol/mod.ts";
import { launcher } from "./launcher.ts";
import { tarParts } from "./tar.ts";

/**
 * The single file: a shell script, then the gzipped archive of the program (one JavaScript module) and
 * the Deno executable that runs it. The same contents give the same bytes.
 */
export async function singleFile(
  program: Bytes,
  runtime: Bytes,
): Promise<Bytes> {
  const archive = tarParts([
    { name: "sotto.js", mode: 0o600, content: program },
    { name: "deno", mode: 0o700, content: runtime },
  ]);
  const gzip = new Response(
    ReadableStream.from(archive).pipeThrough(new CompressionStream("gzip")),
  );
  const id = (await sha256(concat(...archive))).toHex().slice(0, 32);
  const head = new TextEncoder().encode(launcher(id));
  return concat(head, await gzip.bytes());
}
