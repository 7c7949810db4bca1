import { assertEquals, assertRejects } from "@std/assert";
import { sha256 } from "../../lib/protocol/mod.ts";
import { cutting, sealedLength } from "../../lib/transfer/mod.ts";
import { PIECE_PLAINTEXT, pieceLength } from "../../lib/transfer/pieces.ts";
import { SpoolBlob } from "../../lib/transfer/spool_blob.ts";
import { noise } from "./file_server.ts";

Deno.test("spool: a piece that could not be saved at first counts once when it comes again", async () => {
  const directory = await Deno.makeTempDir({ prefix: "sotto-spool-" });
  const sync = Deno.FsFile.prototype.syncData;
  try {
    const cut = cutting(sealedLength(2 * PIECE_PLAINTEXT));
    assertEquals(cut.count, 3);
    const pieces = [0, 1, 2].map((i) => noise(pieceLength(cut, i)));
    const blob = await SpoolBlob.open(`${directory}/x`, cut);
    const put = async (i: number) =>
      await blob.put(i, pieces[i]!, await sha256(pieces[i]!));
    Deno.FsFile.prototype.syncData = () =>
      Promise.reject(new Error("ENOSPC: no space left on device"));
    await assertRejects(() => put(0));
    Deno.FsFile.prototype.syncData = sync;
    await put(0);
    await put(1);
    assertEquals(blob.complete, false);
    await put(2);
    assertEquals(blob.complete, true);
    await blob.close();
    const again = await SpoolBlob.open(`${directory}/x`, cut);
    assertEquals(again.complete, true);
    await again.close();
  } finally {
    Deno.FsFile.prototype.syncData = sync;
    await Deno.remove(directory, { recursive: true });
  }
});
