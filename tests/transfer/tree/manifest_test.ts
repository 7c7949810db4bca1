import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { MalformedError, utf8, Writer } from "../../../lib/protocol/mod.ts";
import { ANY_DISK } from "../../../lib/transfer/tree/entry_path.ts";
import {
  encodeManifest,
  ENTRY_LIMIT,
  MANIFEST_LIMIT,
  parseManifest,
} from "../../../lib/transfer/tree/manifest.ts";
import type {
  Manifest,
  TreeEntry,
} from "../../../lib/transfer/tree/tree_entry.ts";
import { manifests } from "./arbitrary_tree.ts";

const SMALL: Manifest = {
  name: "t",
  entries: [
    { kind: "directory", path: "t", mode: 0o755, modified: 1 },
    { kind: "file", path: "t/a", mode: 0o644, modified: 2, size: 5 },
    { kind: "link", path: "t/b", mode: 0o777, modified: 3, target: "a" },
  ],
};

// An entry as its bytes: whatever the encoder would refuse.
interface Raw {
  kind?: number;
  mode?: number;
  modified?: bigint;
  path?: string | Bytes;
  size?: bigint;
  target?: string;
}

function raw(entries: readonly Raw[], name = "n", version = 1): Bytes {
  const writer = new Writer().u8(version).prefixed(2, utf8(name));
  writer.u32(entries.length);
  for (const each of entries) {
    const { kind = 0, mode = 0o644, modified = 0n, path = "a" } = each;
    writer.u8(kind).u16(mode).u64(modified);
    writer.prefixed(2, typeof path === "string" ? utf8(path) : path);
    if (kind === 0) writer.u64(each.size ?? 0n);
    if (kind === 2) writer.prefixed(2, utf8(each.target ?? "x"));
  }
  return writer.done();
}

function refused(bytes: Bytes): void {
  assertThrows(() => parseManifest(bytes, ANY_DISK), MalformedError);
}

Deno.test("manifest S0.9: what is written is read", () => {
  fc.assert(fc.property(manifests(), (manifest) => {
    const bytes = encodeManifest(manifest);
    assertEquals(parseManifest(bytes, ANY_DISK), manifest);
  }));
});

Deno.test("manifest S0.9: its bytes are these", () => {
  assertEquals(
    encodeManifest(SMALL).toHex(),
    "01" + "0001" + "74" + "00000003" +
      "01" + "01ed" + "0000000000000001" + "0001" + "74" +
      "00" + "01a4" + "0000000000000002" + "0003" + "742f61" +
      "0000000000000005" +
      "02" + "01ff" + "0000000000000003" + "0003" + "742f62" + "0001" + "61",
  );
});

Deno.test("manifest S0.9: an empty one is one", () => {
  const empty = { name: "0 files", entries: [] };
  assertEquals(parseManifest(encodeManifest(empty), ANY_DISK), empty);
});

Deno.test("manifest S0.9: truncated at every byte, and with one more", () => {
  const bytes = encodeManifest(SMALL);
  for (let i = 0; i < bytes.length; i++) refused(bytes.slice(0, i));
  refused(new Uint8Array([...bytes, 0]));
});

Deno.test("manifest S0.9: every flipped bit is refused or says another thing", () => {
  const bytes = encodeManifest(SMALL);
  let taken = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    let manifest: Manifest;
    try {
      manifest = parseManifest(flipped, ANY_DISK);
    } catch (error) {
      assert(error instanceof MalformedError, String(error));
      continue;
    }
    taken++;
    assertEquals(encodeManifest(manifest), flipped);
  }
  assert(taken > 0);
});

Deno.test("manifest S0.9: random bytes are refused, or are the one encoding", () => {
  const random = fc.uint8Array({ maxLength: 200 });
  const edited = fc.tuple(fc.nat(60), fc.uint8Array({ maxLength: 4 }));
  fc.assert(fc.property(random, edited, (bytes, [at, patch]) => {
    const patched = encodeManifest(SMALL);
    patched.set(patch, Math.min(at, patched.length - patch.length));
    for (const each of [new Uint8Array(bytes), patched]) {
      try {
        const manifest = parseManifest(each, ANY_DISK);
        assertEquals(encodeManifest(manifest), each);
      } catch (error) {
        assert(error instanceof MalformedError, String(error));
      }
    }
  }));
});

const HOSTILE: readonly (readonly [string, Bytes])[] = [
  ["another version", raw([], "n", 2)],
  ["an unknown kind", raw([{ kind: 3 }])],
  ["setuid", raw([{ mode: 0o4755 }])],
  ["sticky", raw([{ mode: 0o1777 }])],
  ["a time beyond 2^53", raw([{ modified: 1n << 53n }])],
  ["a time that no date holds", raw([{ modified: 8_640_000_000_000_001n }])],
  ["a size of 2^53", raw([{ size: 1n << 53n }])],
  ["a size of 2^64 - 1", raw([{ size: (1n << 64n) - 1n }])],
  [
    "sizes that sum up to 2^53",
    raw([{ path: "a", size: (1n << 53n) - 1n }, { path: "b", size: 1n }]),
  ],
  ["the same path twice", raw([{ path: "a" }, { path: "a" }])],
  [
    "a file and a directory of one name",
    raw([{ path: "a" }, { path: "a", kind: 1 }]),
  ],
  ["paths out of order", raw([{ path: "b" }, { path: "a" }])],
  ["a directory that is missing", raw([{ path: "a/b" }])],
  [
    "a directory behind what it holds",
    raw([{ path: "a/b" }, { path: "a", kind: 1 }]),
  ],
  ["a path beneath a file", raw([{ path: "a" }, { path: "a/b" }])],
  [
    "a path beneath a link",
    raw([
      { path: "t", kind: 1 },
      { path: "t/l", kind: 2, target: "." },
      { path: "t/l/x" },
    ]),
  ],
  ["traversal", raw([{ path: "../a" }])],
  ["an absolute path", raw([{ path: "/etc/passwd" }])],
  ["bidi", raw([{ path: "a\u202eb" }])],
  ["NUL", raw([{ path: "a\0b" }])],
  ["bad UTF-8", raw([{ path: new Uint8Array([0x61, 0xff]) }])],
  ["overlong UTF-8", raw([{ path: new Uint8Array([0xc0, 0xaf]) }])],
  ["a surrogate in UTF-8", raw([{ path: new Uint8Array([0xed, 0xa0, 0x80]) }])],
  ["a name of 256 bytes", raw([{ path: "x".repeat(256) }])],
  ["a path of 5,000 bytes", raw([{ path: "x/".repeat(2500) + "x" }])],
  [
    "a link out",
    raw([{ path: "t", kind: 1 }, {
      path: "t/l",
      kind: 2,
      target: "../../etc",
    }]),
  ],
  ["a link at the top", raw([{ path: "l", kind: 2, target: "x" }])],
  ["a name with a slash", raw([], "a/b")],
  ["no name", raw([], "")],
  ["a name of 256 bytes for the whole", raw([], "x".repeat(256))],
];

for (const [what, bytes] of HOSTILE) {
  Deno.test(`manifest S0.9: refused: ${what}`, () => refused(bytes));
}

Deno.test("manifest S0.9: names of 255 bytes and sizes below 2^53 are taken", () => {
  const size = (1n << 53n) - 1n;
  const { entries } = parseManifest(
    raw([{ path: "x".repeat(255), size }]),
    ANY_DISK,
  );
  assertEquals(entries[0]!.kind === "file" && entries[0]!.size, Number(size));
});

Deno.test("manifest S0.9: a count is checked before anything is made of it", () => {
  for (const count of [ENTRY_LIMIT, ENTRY_LIMIT + 1, 0xffffffff]) {
    refused(
      new Writer().u8(1).prefixed(2, utf8("n")).u32(count).u8(0).done(),
    );
  }
  refused(new Uint8Array(MANIFEST_LIMIT + 1));
});

Deno.test("manifest S0.9: the encoder refuses what the parser would", () => {
  const file = { kind: "file", path: "a", mode: 0, modified: 0, size: 0 };
  const bad: readonly unknown[] = [
    { ...file, path: "../a" },
    { ...file, path: "a\ud800" },
    { ...file, path: "x".repeat(70_000) },
    { ...file, mode: 0o7777 },
    { ...file, size: 2 ** 53 },
  ];
  for (const entry of bad) {
    assertThrows(
      () => encodeManifest({ name: "n", entries: [entry as TreeEntry] }),
      MalformedError,
    );
  }
});

Deno.test("manifest S0.9: windows rules are the parser's choice", () => {
  const bytes = raw([{ path: "nul" }]);
  parseManifest(bytes, ANY_DISK);
  assertThrows(() => parseManifest(bytes, { windows: true }), MalformedError);
});

Deno.test("manifest S0.9: 100,000 entries are read in well under a second", () => {
  const entries: TreeEntry[] = [];
  for (let d = 0; d < 100; d++) {
    const directory = `d${String(d).padStart(3, "0")}`;
    entries.push({ kind: "directory", path: directory, mode: 0, modified: 0 });
    for (let f = 0; f < 999; f++) {
      const path = `${directory}/a file of some name ${
        String(f).padStart(4, "0")
      }`;
      entries.push({ kind: "file", path, mode: 0o644, modified: 1, size: f });
    }
  }
  const bytes = encodeManifest({ name: "n", entries });
  const began = performance.now();
  assertEquals(parseManifest(bytes, ANY_DISK).entries.length, 100_000);
  const took = performance.now() - began;
  // Generous, for a machine under load: about 150 ms are usual.
  assert(took < 1500, `${took} ms`);
});
