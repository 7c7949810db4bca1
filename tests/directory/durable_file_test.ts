import { assertEquals, assertRejects } from "@std/assert";
import { consensusFile } from "../../lib/directory/mod.ts";
import {
  readDurable,
  replaceDurable,
} from "../../lib/directory/durable_file.ts";

Deno.test("a file is replaced whole, by its owner alone, and nothing is left beside it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const cache = consensusFile(`${folder}/a/b/copy`);
    assertEquals(await cache.read(), undefined);
    for (const length of [0, 1, 100_000]) {
      const bytes = new Uint8Array(length).fill(length);
      await cache.write(bytes);
      assertEquals(await cache.read(), bytes);
    }
    const names = [...Deno.readDirSync(`${folder}/a/b`)].map(({ name }) =>
      name
    );
    assertEquals(names, ["copy"]);
    assertEquals((await Deno.stat(`${folder}/a/b/copy`)).mode! & 0o777, 0o600);
    assertEquals((await Deno.stat(`${folder}/a`)).mode! & 0o777, 0o700);
    await Deno.mkdir(`${folder}/dir`);
    await assertRejects(() =>
      replaceDurable(`${folder}/dir`, new Uint8Array(1))
    );
    await assertRejects(() => readDurable(`${folder}/dir`));
    assertEquals([...Deno.readDirSync(folder)].length, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
