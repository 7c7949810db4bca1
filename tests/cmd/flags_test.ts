import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../cmd/errors.ts";
import {
  asksForHelp,
  COMMON_FLAGS,
  hasFlag,
  parseFlags,
} from "../../cmd/flags.ts";

const FLAGS = {
  ...COMMON_FLAGS,
  to: { type: "string", short: "t" },
  tag: { type: "string", multiple: true },
} as const;

Deno.test("flags: nothing given, everything has its empty value", () => {
  assertEquals(parseFlags([], FLAGS), {
    flags: {
      json: false,
      quiet: false,
      profile: undefined,
      debug: false,
      help: false,
      to: undefined,
      tag: [],
    },
    operands: [],
  });
});

Deno.test("flags: values apart, behind = and behind one letter; operands anywhere", () => {
  for (
    const args of [
      ["bob", "--to", "x", "--json", "hi"],
      ["--to=x", "--json", "bob", "hi"],
      ["-t", "x", "bob", "hi", "--json"],
      ["--to", "w", "--to", "x", "--json", "--", "bob", "hi"],
    ]
  ) {
    const { flags, operands } = parseFlags(args, FLAGS, { least: 2 });
    assertEquals([flags.to, flags.json, operands], ["x", true, ["bob", "hi"]]);
  }
});

Deno.test("flags: a list keeps every value in order, and = allows any value", () => {
  const { flags } = parseFlags(["--tag=-a", "--tag", "b", "--tag="], FLAGS);
  assertEquals(flags.tag, ["-a", "b", ""]);
});

Deno.test("flags: after -- all are operands, and so is a lone dash", () => {
  const { operands } = parseFlags(["-", "--", "--json", "-t"], FLAGS, {
    most: 3,
  });
  assertEquals(operands, ["-", "--json", "-t"]);
});

const WRONG: readonly (readonly [string[], string, string?])[] = [
  [["--jsn"], "unknown flag --jsn", "did you mean --json?"],
  [["--prof", "x"], "unknown flag --prof", "did you mean --profile?"],
  [["--zzzzzz"], "unknown flag --zzzzzz"],
  [["--passphrase=secret"], "unknown flag --passphrase"],
  [["-x"], "unknown flag -x"],
  [["--constructor"], "unknown flag --constructor"],
  [["--__proto__"], "unknown flag --__proto__"],
  [["--json=yes"], "--json takes no value"],
  [["--to"], "--to needs a value"],
  [["--to", ""], "--to needs a value"],
  [
    ["--to", "--json"],
    "--to needs a value",
    "if the value is --json, write --to=--json",
  ],
  [["a", "b"], "unexpected argument b", "expected: NAME"],
  [[], "an argument is missing", "expected: NAME"],
];

for (const [args, message, hint] of WRONG) {
  Deno.test(`flags: ${JSON.stringify(args)} is refused`, () => {
    const error = assertThrows(
      () => parseFlags(args, FLAGS, { least: 1, shape: "NAME" }),
      UsageError,
    );
    assertEquals([error.message, error.hint], [message, hint]);
  });
}

Deno.test("flags: help and debug are seen before -- only", () => {
  assertEquals(asksForHelp(["bob", "--help"]), true);
  assertEquals(asksForHelp(["-h"]), true);
  assertEquals(asksForHelp(["--", "--help"]), false);
  assertEquals(hasFlag(["--debug", "--"], "--debug"), true);
  assertEquals(hasFlag(["--", "--debug"], "--debug"), false);
});
