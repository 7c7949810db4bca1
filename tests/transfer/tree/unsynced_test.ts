import { assertEquals, assertRejects } from "@std/assert";
import { Unsynced } from "../../../lib/transfer/tree/unsynced.ts";
import { inTemp } from "./disk_tree.ts";

Deno.test("unsynced S0.9: what was added is flushed once, and again if that failed", () =>
  inTemp(async (temp) => {
    const flushed: string[] = [];
    const { syncData, sync } = Deno.FsFile.prototype;
    Deno.FsFile.prototype.syncData = function () {
      flushed.push("file");
      return syncData.call(this);
    };
    Deno.FsFile.prototype.sync = function () {
      flushed.push("directory");
      return sync.call(this);
    };
    try {
      const unsynced = new Unsynced();
      for (let i = 0; i < 100; i++) {
        Deno.writeTextFileSync(`${temp}/${i}`, "x");
        unsynced.addFile(`${temp}/${i}`);
        unsynced.addFile(`${temp}/${i}`);
        unsynced.addDirectory(temp);
      }
      await Promise.all([unsynced.sync(), unsynced.sync()]);
      assertEquals(flushed.length, 101);
      assertEquals(flushed.at(-1), "directory");
      flushed.length = 0;
      await unsynced.sync();
      assertEquals(flushed, []);

      unsynced.addFile(`${temp}/later`);
      await assertRejects(() => unsynced.sync(), Deno.errors.NotFound);
      Deno.writeTextFileSync(`${temp}/later`, "x");
      await unsynced.sync();
      assertEquals(flushed, ["file"]);
    } finally {
      Object.assign(Deno.FsFile.prototype, { syncData, sync });
    }
  }));
