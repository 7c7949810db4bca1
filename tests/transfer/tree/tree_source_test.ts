import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import fc from "fast-check";
import { concat, u32 } from "../../../lib/protocol/mod.ts";
import { paddedLength } from "../../../lib/transfer/tree/layout.ts";
import { encodeManifest } from "../../../lib/transfer/tree/manifest.ts";
import { scan } from "../../../lib/transfer/tree/scan.ts";
import { SourceChangedError } from "../../../lib/transfer/tree/source_changed_error.ts";
import { TreeSource } from "../../../lib/transfer/tree/tree_source.ts";
import { manifests } from "./arbitrary_tree.ts";
import { content, EVERY_KIND, inTemp, makeTree } from "./disk_tree.ts";

Deno.test("source S0.9: the sequence is manifest, contents and zeros, read anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(
      manifests(),
      fc.array(fc.tuple(fc.nat(1_000_000), fc.nat(300_000)), { maxLength: 8 }),
      (manifest, reads) =>
        inTemp(async (directory) => {
          makeTree(directory, manifest.entries);
          const encoded = encodeManifest(manifest);
          const bare = concat(
            u32(encoded.length),
            encoded,
            ...manifest.entries.filter((each) => each.kind === "file")
              .map((each) => Deno.readFileSync(`${directory}/${each.path}`)),
          );
          const whole = new Uint8Array(paddedLength(bare.length));
          whole.set(bare);
          const found = await scan([`${directory}/${manifest.name}`]);
          await using source = new TreeSource(found);
          assertEquals(source.length, whole.length);
          for (const [at, length] of reads) {
            const offset = at % (whole.length + 1);
            const seen = await source.read(offset, length);
            const wanted = whole.subarray(offset, offset + length);
            assert(equal(seen, wanted), `${offset} ${length}`);
          }
          assert(equal(await source.read(0, Infinity), whole));
          let next = 0;
          while (next < whole.length) {
            const part = await source.read(next, 4099);
            assert(equal(part, whole.subarray(next, next + 4099)));
            next += part.length;
          }
        }),
    ),
    { numRuns: 25 },
  );
});

/** `assertEquals` takes minutes for megabytes. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((each, i) => each === b[i]);
}

Deno.test("source: reads at the same time do not disturb each other", () =>
  inTemp(async (directory) => {
    makeTree(directory, EVERY_KIND.entries);
    await using source = new TreeSource(await scan([`${directory}/t`]));
    const whole = await source.read(0, source.length);
    const offsets = [700_000, 5, 300_000, 100, 60_000, 0, 710_000];
    const parts = await Promise.all(
      offsets.map((each) => source.read(each, 80_000)),
    );
    for (const [i, offset] of offsets.entries()) {
      assert(equal(parts[i]!, whole.subarray(offset, offset + 80_000)));
    }
  }));

Deno.test("source: offsets outside are refused, the end is not", () =>
  inTemp(async (directory) => {
    Deno.writeTextFileSync(`${directory}/f`, "x");
    await using source = new TreeSource(await scan([`${directory}/f`]));
    assertEquals((await source.read(source.length, 10)).length, 0);
    assertEquals((await source.read(source.length - 1, 10)).length, 1);
    for (const offset of [-1, 0.5, source.length + 1, NaN]) {
      await assertRejects(() => source.read(offset, 1), RangeError);
    }
  }));

const CHANGES: readonly (readonly [string, (path: string) => void])[] = [
  ["longer", (path) => Deno.writeTextFileSync(path, "x", { append: true })],
  ["shorter", (path) => Deno.truncateSync(path, 1)],
  ["empty", (path) => Deno.truncateSync(path, 0)],
  ["gone", (path) => Deno.removeSync(path)],
  ["touched", (path) => Deno.utimeSync(path, 1, 1)],
  ["another file with its size and time", (path) => {
    const { size } = Deno.statSync(path);
    Deno.writeFileSync(`${path}.new`, content(size));
    Deno.utimeSync(`${path}.new`, 1_600_000_000, 1_600_000_000);
    Deno.renameSync(`${path}.new`, path);
  }],
  ["a link to itself as it was", (path) => {
    Deno.renameSync(path, `${path}.moved`);
    Deno.symlinkSync(`${path}.moved`, path);
  }],
  ["a directory", (path) => {
    Deno.removeSync(path);
    Deno.mkdirSync(path);
  }],
  ["a pipe", (path) => {
    Deno.removeSync(path);
    new Deno.Command("mkfifo", { args: [path] }).outputSync();
  }],
];

for (const size of [100, 65_537, 600_000]) {
  for (const [what, change] of CHANGES) {
    Deno.test(`source S0.9: ${size} bytes that became ${what} before the read`, () =>
      inTemp(async (directory) => {
        const path = `${Deno.realPathSync(directory)}/f`;
        Deno.writeFileSync(path, content(size));
        Deno.utimeSync(path, 1_600_000_000, 1_600_000_000);
        await using source = new TreeSource(await scan([path]));
        change(path);
        const error = await assertRejects(
          () => source.read(0, source.length),
          SourceChangedError,
          path,
        );
        assertEquals(error.code, "ERR_SOURCE_CHANGED");
        assertEquals(error.path, path);
      }));
  }
  for (
    const [what, change] of [CHANGES[0]!, CHANGES[1]!, CHANGES[4]!]
  ) {
    Deno.test(`source S0.9: ${size} bytes that became ${what} during the read`, () =>
      inTemp(async (directory) => {
        const path = `${directory}/f`;
        Deno.writeFileSync(path, content(size));
        await using source = new TreeSource(await scan([path]));
        await source.read(0, source.layout.contentStart + 50);
        change(path);
        await assertRejects(
          () => source.read(source.layout.contentStart + 50, size),
          SourceChangedError,
        );
      }));
  }
}

Deno.test("source S0.9: a file that was left in the middle is looked at, too", () =>
  inTemp(async (directory) => {
    Deno.writeFileSync(`${directory}/a`, content(100_000));
    Deno.writeFileSync(`${directory}/b`, content(100_000));
    await using source = new TreeSource(
      await scan([`${directory}/a`, `${directory}/b`]),
    );
    const { contentStart } = source.layout;
    await source.read(contentStart, 10);
    Deno.utimeSync(`${directory}/a`, 1, 1);
    await assertRejects(
      () => source.read(contentStart + 100_000, 10),
      SourceChangedError,
    );
  }));

Deno.test("source S0.9: an empty file that got content is noticed", () =>
  inTemp(async (directory) => {
    for (const only of [["b"], ["a", "b"], ["b", "c"]]) {
      const paths = only.map((each) => `${directory}/${each}`);
      for (const path of paths) {
        Deno.writeTextFileSync(path, path.endsWith("b") ? "" : "x");
      }
      await using source = new TreeSource(await scan(paths));
      Deno.writeTextFileSync(`${directory}/b`, "late");
      await assertRejects(
        () => source.read(0, source.length),
        SourceChangedError,
      );
    }
  }));

Deno.test("source S0.9: the fingerprint stays while nothing changes", () =>
  inTemp(async (directory) => {
    makeTree(directory, EVERY_KIND.entries);
    const seen = async () => {
      await using source = new TreeSource(await scan([`${directory}/t`]));
      return await source.fingerprint();
    };
    const before = await seen();
    assertEquals(before.length, 32);
    assertEquals(await seen(), before);
    Deno.utimeSync(`${directory}/t/one`, 12, 12);
    assertNotEquals(await seen(), before);
    // The same content, size, mode and time, in another file.
    const now = await seen();
    Deno.copyFileSync(`${directory}/t/small`, `${directory}/new`);
    Deno.utimeSync(`${directory}/new`, 8, 8);
    Deno.renameSync(`${directory}/new`, `${directory}/t/small`);
    Deno.utimeSync(`${directory}/t`, 1_000_000_000.001, 1_000_000_000.001);
    assertNotEquals(await seen(), now);
  }));

Deno.test("source S0.9: 20 GiB of a sparse file are there without being read", () =>
  inTemp(async (directory) => {
    const size = 20 * 2 ** 30;
    const path = `${directory}/sparse`;
    Deno.writeTextFileSync(path, "");
    Deno.truncateSync(path, size);
    {
      using file = Deno.openSync(path, { write: true });
      file.seekSync(size - 3, Deno.SeekMode.Start);
      file.writeSync(new TextEncoder().encode("end"));
    }
    await using source = new TreeSource(await scan([path]));
    assertEquals(source.length, paddedLength(source.layout.total));
    const last = await source.read(source.layout.total - 3, 5);
    assertEquals(new TextDecoder().decode(last), "end\0\0");
  }));
