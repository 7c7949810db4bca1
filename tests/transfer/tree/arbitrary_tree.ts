import fc from "fast-check";
import { comparePaths } from "../../../lib/transfer/tree/entry_path.ts";
import type {
  Manifest,
  TreeEntry,
} from "../../../lib/transfer/tree/tree_entry.ts";

const NAME = fc.oneof(
  fc.constantFrom("a", "b", "a!", "a.txt", "ü", "\u{1f600}", "\uff21", ".x"),
  fc.stringMatching(/^[a-z0-9_-]{1,12}$/),
);

/** Times at which every file system can hold a file. */
const TIME = fc.nat(2_000_000_000_000);

/** Sizes around the borders that matter: none, a block, what is small, a read. */
const SIZE = fc.oneof(
  fc.constantFrom(0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 300_000),
  fc.nat(20_000),
);

type Leaf =
  | { readonly kind: "file"; readonly size: number }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory" };

const LEAF: fc.Arbitrary<Leaf> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("file"), size: SIZE }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("link"),
      target: fc.constantFrom("a", "./b/c", "nowhere", "."),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("directory") }) },
);

/**
 * Manifests of one directory with all that can lie in one. The owner may read, write and enter
 * everything, so that a test may, too.
 */
export function manifests(): fc.Arbitrary<Manifest> {
  const place = fc.tuple(
    fc.array(NAME, { minLength: 1, maxLength: 4 }),
    LEAF,
    fc.nat(0o77),
    TIME,
  );
  return fc.tuple(NAME, TIME, fc.array(place, { maxLength: 12 })).map(
    ([name, modified, places]) => {
      const found = new Map<string, TreeEntry>();
      found.set(name, {
        kind: "directory",
        path: name,
        mode: 0o700,
        modified,
      });
      for (const [names, leaf, mode, time] of places) {
        add(found, [name, ...names].join("/"), leaf, mode, time);
      }
      const entries = [...found.values()].sort((a, b) =>
        comparePaths(a.path, b.path)
      );
      return { name, entries };
    },
  );
}

function add(
  found: Map<string, TreeEntry>,
  path: string,
  leaf: Leaf,
  mode: number,
  modified: number,
): void {
  const parts = path.split("/");
  for (let i = 1; i < parts.length; i++) {
    const parent = parts.slice(0, i).join("/");
    const there = found.get(parent);
    if (there === undefined) {
      found.set(parent, {
        kind: "directory",
        path: parent,
        mode: 0o700 | mode,
        modified,
      });
    } else if (there.kind !== "directory") return;
  }
  if (found.has(path)) return;
  if (leaf.kind === "link") {
    found.set(path, { ...leaf, path, mode: 0o777, modified });
  } else found.set(path, { ...leaf, path, mode: 0o700 | mode, modified });
}
