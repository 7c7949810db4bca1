import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MalformedError } from "../../lib/protocol/mod.ts";
import { scan, TreeSource, TreeWriter } from "../../lib/transfer/mod.ts";
import type { Manifest } from "../../lib/transfer/mod.ts";
import {
  ANY_DISK,
  checkPath,
  checkTarget,
} from "../../lib/transfer/tree/entry_path.ts";
import { paddedLength } from "../../lib/transfer/tree/layout.ts";
import {
  encodeManifest,
  parseManifest,
} from "../../lib/transfer/tree/manifest.ts";
import { manifests } from "../transfer/tree/arbitrary_tree.ts";
import { random } from "./naive_primitives.ts";
import {
  goodPath,
  goodTarget,
  padded,
  plaintextOf,
  readManifest,
  readPlaintext,
  writeManifest,
} from "./naive_tree.ts";
import type { NaiveEntry, NaiveManifest } from "./naive_tree.ts";

const KINDS = ["file", "directory", "link"] as const;

/** A manifest of the library as the text has it. */
function naive({ name, entries }: Manifest): NaiveManifest {
  return {
    name,
    entries: entries.map(({ kind, ...rest }) => ({
      kind: KINDS.indexOf(kind) as 0 | 1 | 2,
      ...rest,
    })),
  };
}

/** What `work` gives; `undefined` if it refuses with an error for which `isRefusal` holds. */
function orRefused<T>(
  work: () => T,
  isRefusal: (error: unknown) => boolean = () => true,
): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return undefined;
  }
}

const isMalformed = (error: unknown) => error instanceof MalformedError;

Deno.test("SPEC.md §10.7: padded lengths are those of the text", () => {
  const edges = [0, 1, 16_384, 16_385, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1];
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom(...edges), fc.nat(2 ** 31), fc.maxSafeNat()),
      (length) => {
        const expected = padded(length);
        if (expected >= 2 ** 53) return;
        assertEquals(paddedLength(length), expected);
        assert(expected < length * 1.12 || expected === 16_384);
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("SPEC.md §10.8: manifests are those of the text, byte for byte, in both directions", () => {
  fc.assert(fc.property(manifests(), (manifest) => {
    const bytes = encodeManifest(manifest);
    assertEquals(writeManifest(naive(manifest)), bytes);
    assertEquals(readManifest(bytes), naive(manifest));
  }));
});

Deno.test("SPEC.md §10.8: whatever is changed in a manifest, text and library take or refuse it alike", () => {
  let [taken, refused] = [0, 0];
  fc.assert(
    fc.property(
      manifests(),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 2 }),
      fc.integer({ min: -2, max: 3 }),
      (manifest, changes, longer) => {
        const encoded = encodeManifest(manifest);
        let bytes = new Uint8Array(encoded.length + longer);
        bytes.set(encoded.subarray(0, bytes.length));
        for (const [at, value] of changes) {
          bytes = bytes.with(at % bytes.length, value);
        }
        const ours = orRefused(
          () => parseManifest(bytes, ANY_DISK),
          isMalformed,
        );
        const theirs = orRefused(() => readManifest(bytes));
        assertEquals(ours && naive(ours), theirs);
        ours === undefined ? refused++ : taken++;
      },
    ),
    { numRuns: 1_000 },
  );
  assert(taken > 20 && refused > 20, `${taken} taken, ${refused} refused`);
});

Deno.test("SPEC.md §10.8: text and library agree on every limit of a manifest", () => {
  const file: NaiveEntry = {
    kind: 0,
    mode: 0,
    modified: 0,
    path: "f",
    size: 0,
  };
  const directory: NaiveEntry = { kind: 1, mode: 0, modified: 0, path: "d" };
  const one = (entry: Partial<NaiveEntry>, name = "n") => ({
    name,
    entries: [{ ...file, ...entry }],
  });
  const long = (length: number) => {
    const parts = Array(16).fill("x".repeat(255));
    return `${parts.join("/")}/`.slice(0, length - 1) + "y";
  };
  /** All the directories in which `path` lies, and it. */
  const deep = (path: string) => ({
    name: "n",
    entries: [
      ...path.split("/").slice(1).map((_, i, all) => ({
        ...directory,
        path: path.split("/").slice(0, all.length - i).join("/"),
      })).toReversed(),
      { ...file, path },
    ],
  });
  const cases: readonly [boolean, NaiveManifest][] = [
    [true, { name: "n", entries: [] }],
    [true, one({ mode: 0o777 })],
    [false, one({ mode: 0o1000 })],
    [false, one({ mode: 0o4755 })],
    [true, one({ modified: 8_640_000_000_000_000 })],
    [false, one({ modified: 8_640_000_000_000_001 })],
    [true, one({ size: 2 ** 53 - 1 })],
    [false, one({ size: 2 ** 53 })],
    [true, one({}, "x".repeat(255))],
    [false, one({}, "x".repeat(256))],
    [false, one({}, "a/b")],
    [false, one({}, "..")],
    [false, one({ path: "d/f" })],
    [true, deep("d/e/f")],
    [true, deep(long(4_095))],
    [false, deep(long(4_097))],
    [true, { name: "n", entries: [directory, { ...file, path: "d/f" }] }],
    [false, { name: "n", entries: [file, { ...file, path: "f/g" }] }],
    [false, { name: "n", entries: [file, file] }],
    [false, { name: "n", entries: [file, directory] }],
    [
      false,
      {
        name: "n",
        entries: [
          { ...file, path: "a", size: 2 ** 52 },
          { ...file, path: "b", size: 2 ** 52 },
        ],
      },
    ],
  ];
  for (const [isGood, manifest] of cases) {
    const bytes = writeManifest(manifest);
    const ours = orRefused(() => parseManifest(bytes, ANY_DISK), isMalformed);
    const theirs = orRefused(() => readManifest(bytes));
    const shown = JSON.stringify(manifest).slice(0, 200);
    assertEquals(theirs !== undefined, isGood, shown);
    assertEquals(ours && naive(ours), theirs, shown);
  }
});

Deno.test("SPEC.md §10.8: text and library agree on every path and link target", () => {
  const step = fc.oneof(
    fc.constantFrom("", ".", "..", "...", "a", "b c", "x".repeat(255), "ü"),
    fc.constantFrom("x".repeat(256), "\ufeff", "a\\b", "a\u202eb", "\ufffd"),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.integer({ min: 0, max: 0x2100 }).map((each) =>
      String.fromCodePoint(each)
    ),
  );
  const paths = fc.array(step, { minLength: 1, maxLength: 5 })
    .map((steps) => steps.join("/"))
    .filter((path) => path.isWellFormed());
  const long = fc.integer({ min: 1, max: 30 })
    .map((count) => Array(count).fill("y".repeat(200)).join("/"));
  let [taken, refused] = [0, 0];
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: paths }, long), (path) => {
      const isGood = orRefused(() => {
        checkPath(path, ANY_DISK);
        return true;
      }, isMalformed) ?? false;
      assertEquals(isGood, goodPath(path), JSON.stringify(path));
      isGood ? taken++ : refused++;
    }),
    { numRuns: 3_000 },
  );
  assert(taken > 50 && refused > 50, `${taken} taken, ${refused} refused`);
  const places = fc.constantFrom("l", "t/l", "t/u/l", "t/u/v/l");
  [taken, refused] = [0, 0];
  fc.assert(
    fc.property(places, fc.oneof(paths, long), (path, target) => {
      const isGood = orRefused(() => {
        checkTarget(path, target, ANY_DISK);
        return true;
      }, isMalformed) ?? false;
      assertEquals(
        isGood,
        goodTarget(path, target),
        JSON.stringify([path, target]),
      );
      isGood ? taken++ : refused++;
    }),
    { numRuns: 3_000 },
  );
  assert(taken > 50 && refused > 50, `${taken} taken, ${refused} refused`);
});

Deno.test("SPEC.md §10.7: a directory on disk is laid out as in the text, and one of the text is written to disk", async () => {
  const directory = await Deno.makeTempDir({ prefix: "sotto-spec-" });
  try {
    const from = `${directory}/from`;
    await Deno.mkdir(`${from}/empty`, { recursive: true });
    await Deno.mkdir(`${from}/sub`);
    const contents = new Map([
      ["from/a.txt", random(20_000)],
      ["from/none", random(0)],
      ["from/sub/ü", random(123_456)],
    ]);
    for (const [path, content] of contents) {
      await Deno.writeFile(`${directory}/${path}`, content);
    }
    await Deno.symlink("../a.txt", `${from}/sub/link`);
    await using source = new TreeSource(await scan([from]));
    const plaintext = await source.read(0, source.length);
    const read = readPlaintext(plaintext);
    assertEquals(read.manifest.name, "from");
    assertEquals(
      read.manifest.entries.map(({ kind, path }) => [kind, path]),
      [
        [1, "from"],
        [0, "from/a.txt"],
        [1, "from/empty"],
        [0, "from/none"],
        [1, "from/sub"],
        [2, "from/sub/link"],
        [0, "from/sub/ü"],
      ],
    );
    assertEquals(read.contents, [...contents.values()]);
    assertEquals(plaintextOf(read.manifest, read.contents), plaintext);

    const to = `${directory}/to`;
    await Deno.mkdir(to);
    const writer = await TreeWriter.open(to, "spec");
    await writer.write(0, plaintextOf(read.manifest, read.contents));
    await writer.finish({ replace: false });
    for (const [path, content] of contents) {
      assertEquals(await Deno.readFile(`${to}/${path}`), content);
    }
    assertEquals(await Deno.readLink(`${to}/from/sub/link`), "../a.txt");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
