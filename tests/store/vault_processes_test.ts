import { assert, assertEquals } from "@std/assert";
import { importAead, randomBytes, u32 } from "../../lib/protocol/mod.ts";
import { Vault } from "../../lib/store/mod.ts";
import { startChild } from "./child.ts";
import { withFolder } from "./folder.ts";

Deno.test("vault: of what several processes add at once nothing is lost", async () => {
  const processes = 4;
  const times = 50;
  await withFolder(async (folder) => {
    const path = `${folder}/vault.db`;
    const raw = randomBytes(32);
    // The file is not there yet: they compete for making it too.
    const told = await Promise.all(
      Array.from(
        { length: processes },
        () => startChild("counts_up", path, raw.toHex(), `${times}`).finish(),
      ),
    );
    assertEquals(told.length, processes);
    const conflicts = told.reduce((sum, [lost]) => sum + Number(lost), 0);
    assert(conflicts > 0, "they never met, so this proves nothing");
    const vault = await Vault.open(path, await importAead(raw));
    assertEquals(await vault.get("count", "it"), {
      version: processes * times,
      body: u32(processes * times),
    });
    vault.close();
  });
});
