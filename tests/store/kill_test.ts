import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { importAead, randomBytes, u32 } from "../../lib/protocol/mod.ts";
import { SqliteServerStore, Vault } from "../../lib/store/mod.ts";
import { AMPLE, letterSample } from "./cases/samples.ts";
import { startChild } from "./child.ts";
import { withFolder } from "./folder.ts";

const KILLS = 20;

/** Lets a child live for a random while: half of them until they work, the others perhaps not. */
async function killAtRandom(
  round: number,
  name: string,
  ...args: string[]
): Promise<string[]> {
  const child = startChild(name, ...args);
  const isWorking = round % 2 === 0;
  if (isWorking) await child.started;
  const ms = Math.random() * (isWorking ? 40 : 150);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return await child.kill();
}

function assertWhole(path: string): void {
  using db = new DatabaseSync(path);
  assertEquals(
    db.prepare("pragma integrity_check").all().map((row) => ({ ...row })),
    [{ integrity_check: "ok" }],
  );
}

Deno.test("sqlite store: a letter that was called stored survives kill -9", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/server.db`;
    const told = new Map<string, string>();
    for (let round = 0; round < KILLS; round++) {
      for (const line of await killAtRandom(round, "adds_letters", path)) {
        told.set(line.slice(1), line.slice(0, 1));
      }
      assertWhole(path);
      const store = await SqliteServerStore.open(path);
      const waiting = await store.letters.pending("ada", 0, 1_000_000);
      const ids = new Set(waiting.map((letter) => letter.letterId.toHex()));
      for (const [id, last] of told) {
        if (last === "+") assert(ids.has(id), "a stored letter is lost");
        if (last === "-") assert(!ids.has(id), "a deleted letter is back");
      }
      assertEquals(await store.letters.usage("ada"), {
        letters: waiting.length,
        bytes: 546 * waiting.length,
      });
      await store.close();
    }
    const count = (mark: string) =>
      [...told.values()].filter((last) => last === mark).length;
    assert(count("+") > 100 && count("-") > 50, "too few to prove anything");

    const store = await SqliteServerStore.open(path);
    for (const id of [...told.keys()].slice(-200)) {
      const again = letterSample("bob", "ada", {
        letterId: Uint8Array.fromHex(id),
      });
      assertEquals(
        (await store.letters.add(again, AMPLE)).outcome,
        "duplicate",
      );
    }
    await store.close();
  });
});

Deno.test("vault: a commit that was called made survives kill -9, whole", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/vault.db`;
    const raw = randomBytes(32);
    const told = new Map<string, number>();
    for (let round = 0; round < KILLS; round++) {
      const lines = await killAtRandom(
        round,
        "commits_records",
        path,
        raw.toHex(),
      );
      for (const line of lines) {
        const [caller, version] = line.split(" ");
        told.set(caller!, Number(version));
      }
      assertWhole(path);
      const vault = await Vault.open(path, await importAead(raw));
      const left = await vault.list("left");
      assertEquals(await vault.list("right"), left);
      for (const { key, version, body } of left) {
        assertEquals(body, u32(version));
        assert(version >= (told.get(key) ?? 0), "a commit is lost");
      }
      assert(left.length >= told.size);
      vault.close();
    }
    const commits = [...told.values()].reduce((sum, each) => sum + each, 0);
    assert(commits > 200, "too few to prove anything");
  });
});
