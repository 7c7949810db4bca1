import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { nearest } from "../../cmd/nearest.ts";

const NAMES = ["server", "client", "relay", "controller", "keygen"];

const CASES: readonly (readonly [string, string | undefined])[] = [
  ["sevrer", "server"],
  ["clinet", "client"],
  ["clients", "client"],
  ["contr", "controller"],
  ["keygne", "keygen"],
  ["rely", "relay"],
  ["send", undefined],
  ["", undefined],
  ["x", undefined],
  ["serverserverserver", undefined],
];

for (const [word, expected] of CASES) {
  Deno.test(`nearest: "${word}" stands for ${expected}`, () => {
    assertEquals(nearest(word, NAMES), expected);
  });
}

Deno.test("nearest: a word that begins two names is decided by edits", () => {
  assertEquals(nearest("pu", ["pull", "push"]), undefined);
  assertEquals(nearest("pul", ["pull", "push"]), "pull");
});

Deno.test("nearest: one edit of a long word always finds it", () => {
  fc.assert(fc.property(
    fc.constantFrom(...NAMES),
    fc.nat(),
    fc.constantFrom("q", "z", ""),
    (name, at, letter) => {
      const i = at % name.length;
      const typo = name.slice(0, i) + letter + name.slice(i + 1);
      assertEquals(nearest(typo, NAMES), name);
    },
  ));
});
