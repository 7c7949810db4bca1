import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MalformedError, utf8 } from "../../../lib/protocol/mod.ts";
import {
  ANY_DISK,
  checkName,
  checkPath,
  checkTarget,
  comparePaths,
} from "../../../lib/transfer/tree/entry_path.ts";

const WINDOWS = { windows: true };

const GOOD: readonly string[] = [
  "a",
  "a/b/c",
  "...",
  "..a",
  ".hidden",
  "with space",
  "-rf",
  "日本語/ファイル",
  "\u{1f600}",
  "e\u0301",
  "x".repeat(255),
  "é".repeat(127),
  Array.from({ length: 16 }, () => "x".repeat(255)).join("/"),
];

const BAD: readonly (readonly [string, string])[] = [
  ["empty", ""],
  ["absolute", "/etc/passwd"],
  ["twice absolute", "//etc"],
  ["parent", ".."],
  ["parent in front", "../a"],
  ["parent within", "a/../b"],
  ["parent at the end", "a/.."],
  ["itself", "."],
  ["itself within", "a/./b"],
  ["empty component", "a//b"],
  ["slash at the end", "a/"],
  ["backslash", "a\\b"],
  ["backslashed parent", "..\\a"],
  ["NUL", "a\0b"],
  ["line feed", "a\nb"],
  ["escape", "a\x1b[2Jb"],
  ["delete", "a\x7f"],
  ["C1", "a\x9b31m"],
  ["arabic letter mark", "a\u061cb"],
  ["left-to-right mark", "a\u200eb"],
  ["right-to-left mark", "a\u200fb"],
  ["right-to-left override", "a\u202etxt.exe"],
  ["left-to-right embedding", "a\u202ab"],
  ["isolate", "a\u2066b"],
  ["pop isolate", "a\u2069b"],
  ["replacement character", "a\ufffdb"],
  ["lone high surrogate", "a\ud83d"],
  ["lone low surrogate", "\ude00a"],
  ["256 bytes", "x".repeat(256)],
  ["256 bytes in 128 characters", "é".repeat(128)],
  ["256 bytes within", `a/${"x".repeat(256)}/b`],
  [
    "4,097 bytes",
    Array.from({ length: 16 }, () => "x".repeat(255)).join("/") + "/y",
  ],
];

for (const path of GOOD) {
  Deno.test(`paths S0.9: taken: ${path.slice(0, 20)} (${path.length})`, () => {
    checkPath(path, ANY_DISK);
  });
}

for (const [what, path] of BAD) {
  Deno.test(`paths S0.9: refused: ${what}`, () => {
    assertThrows(() => checkPath(path, ANY_DISK), MalformedError);
    assertThrows(() => checkPath(path, WINDOWS), MalformedError);
  });
}

const BAD_ON_WINDOWS: readonly string[] = [
  ...["CON", "con", "prn.txt", "aux", "NUL.tar.gz", "COM1", "com9.x", "lpt3"],
  ...["COM¹", "conin$", "CONOUT$", "nul .txt", "a/con/b", "a/aux"],
  ...["a.", "a ", "a./b", "a /b", "a<b", "a>b", "a:b", 'a"b', "a|b", "a?b"],
  ...["a*b", "C:", "file:stream"],
];

for (const path of BAD_ON_WINDOWS) {
  Deno.test(`paths S0.9: refused on Windows only: ${path}`, () => {
    assertThrows(() => checkPath(path, WINDOWS), MalformedError);
    checkPath(path, ANY_DISK);
  });
}

for (const path of ["console", "com", "com10", "auxiliary", "a.con", ".con"]) {
  Deno.test(`paths S0.9: taken on Windows: ${path}`, () => {
    checkPath(path, WINDOWS);
  });
}

Deno.test("paths S0.9: a name is one component", () => {
  checkName("a", ANY_DISK);
  assertThrows(() => checkName("a/b", ANY_DISK), MalformedError);
  assertThrows(() => checkName("..", ANY_DISK), MalformedError);
});

Deno.test("paths S0.9: what is refused does not appear in the message", () => {
  const error = assertThrows(() => checkPath("secret\x1b[2J", ANY_DISK));
  assertEquals(error instanceof Error && error.message.includes("sec"), false);
});

const TARGETS: readonly (readonly [string, string, boolean])[] = [
  ["t/a", "b", true],
  ["t/a", "./b", true],
  ["t/a", "b/", true],
  ["t/a", "b//c", true],
  ["t/a", ".", true],
  ["t/a/b", "..", true],
  ["t/a/b", "../c", true],
  ["t/a/b/c", "../../d", true],
  ["t/a", "...", true],
  ["t/a", "..", false],
  ["t/a", "../t/b", false],
  ["t/a", "../other", false],
  ["t/a/b", "../..", false],
  ["t/a/b", "./../../x", false],
  ["t/a", "b/../c", false],
  ["t/a/b", "x/../c", false],
  ["t/a/b", "../x/../c", false],
  ["t/a", "b/../../../etc", false],
  ["t/a", "/etc/passwd", false],
  ["t/a", "", false],
  ["t/a", "x\0", false],
  ["t/a", "x\\y", false],
  ["t/a", "\u202ex", false],
  ["t/a", "x/".repeat(2049), false],
  ["top", "b", false],
  ["top", ".", false],
];

for (const [path, target, good] of TARGETS) {
  const shown = JSON.stringify(target.slice(0, 20));
  Deno.test(`links S0.9: ${path} to ${shown}: ${good}`, () => {
    const check = () => checkTarget(path, target, ANY_DISK);
    if (good) check();
    else assertThrows(check, MalformedError);
  });
}

Deno.test("links S0.9: on Windows neither drives nor devices, but dots", () => {
  for (const target of ["C:", "nul", "a.", "x:y"]) {
    assertThrows(() => checkTarget("t/a/b", target, WINDOWS), MalformedError);
  }
  for (const target of ["../c", "..", ".", "./c"]) {
    checkTarget("t/a/b", target, WINDOWS);
  }
});

Deno.test("paths: compared as their bytes are", () => {
  // On both sides of the surrogates, and of what is one, two, three and four bytes long.
  const unit = fc.constantFrom(
    ...["!", "/", "a", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff"],
    ...["\ue000", "\uffff", "\u{10000}", "\u{1f600}", "\u{10ffff}"],
  );
  const text = fc.string({ unit, maxLength: 5 });
  fc.assert(fc.property(text, text, (a, b) => {
    const [x, y] = [utf8(a), utf8(b)];
    let bytes = 0;
    for (let i = 0; bytes === 0 && i < Math.max(x.length, y.length); i++) {
      bytes = (x[i] ?? -1) - (y[i] ?? -1);
    }
    assertEquals(Math.sign(comparePaths(a, b)), Math.sign(bytes));
  }));
  assertEquals(Math.sign(comparePaths("\u{1f600}", "\uffee")), 1);
  assertEquals(Math.sign(comparePaths("a!b", "a/b")), -1);
});
