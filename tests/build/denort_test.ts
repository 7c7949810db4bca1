import { assertEquals } from "@std/assert";
import { findDenort } from "../../tools/denort.ts";

Deno.test("denort: what is named, else what the cache holds for just this Deno, else nothing", async () => {
  const cache = await Deno.makeTempDir();
  try {
    assertEquals(await findDenort("/x/denort", cache), "/x/denort");
    assertEquals(await findDenort(undefined, cache), undefined);
    assertEquals(await findDenort("", cache), undefined);
    const folder = `${cache}/dl/release/v${Deno.version.deno}`;
    await Deno.mkdir(folder, { recursive: true });
    const name = `denort-${Deno.build.target}.zip`;
    await Deno.mkdir(`${folder}/${name}`);
    assertEquals(await findDenort(undefined, cache), undefined);
    await Deno.remove(`${folder}/${name}`);
    await Deno.writeTextFile(`${folder}/${name}`, "");
    assertEquals(await findDenort(undefined, cache), `${folder}/${name}`);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
