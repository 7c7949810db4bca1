import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "../../lib/protocol/mod.ts";
import { tarParts } from "../../tools/tar.ts";

const SIZES = [0, 1, 511, 512, 513, 65_536];

Deno.test("tar: the system's tar reads back names, modes and contents", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const files = SIZES.map((size) => ({
      name: `file-${size}`,
      mode: size % 2 === 0 ? 0o700 : 0o640,
      content: new Uint8Array(size).fill(size % 251),
    }));
    await Deno.writeFile(`${folder}/x.tar`, concat(...tarParts(files)));
    const { code, stderr } = await new Deno.Command("tar", {
      args: ["-xpf", "x.tar"],
      cwd: folder,
    }).output();
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    for (const { name, mode, content } of files) {
      const path = `${folder}/${name}`;
      assertEquals(await Deno.readFile(path), content);
      assertEquals((await Deno.stat(path)).mode! & 0o777, mode);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tar: a name that does not fit is refused", () => {
  for (const name of ["", "x".repeat(101), "ä", "a b"]) {
    assertThrows(
      () => tarParts([{ name, mode: 0, content: new Uint8Array(0) }]),
      RangeError,
    );
  }
});
