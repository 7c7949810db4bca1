import { assert, assertEquals } from "@std/assert";
import * as rules from "./support/house_rules.ts";
import type { SourceTree } from "./support/source_tree.ts";
import {
  importsOf,
  PROJECT,
  readSourceTree,
  specifiersOf,
} from "./support/source_tree.ts";

const HOUSE = await readSourceTree(["main.ts", "mod.ts", "cmd", "lib"]);

const RULES: readonly (readonly [string, (tree: SourceTree) => string[]])[] = [
  ["imports go down, services keep to themselves", rules.roomOrder],
  ["imports go down within the protocol", rules.protocolOrder],
  ["the protocol is entered through its door", rules.doors],
  ["nothing from outside but the standard library", rules.outsiders],
  ["no import cycle, types counted", rules.cycles],
  ["one room sees crypto.subtle, lib neither prints nor exits", rules.platform],
  ["exports are listed by name", rules.exports],
  ["no file is too long", rules.sizes],
];

for (const [name, rule] of RULES) {
  Deno.test(`architecture: ${name}`, () => {
    assertEquals(rule(HOUSE), []);
  });
}

Deno.test("architecture: tests and tools are not too long either", async () => {
  assertEquals(rules.sizes(await readSourceTree(["tests", "tools"])), []);
});

Deno.test("architecture: the house was read", () => {
  for (const path of ["main.ts", "cmd/io.ts", "lib/protocol/mod.ts"]) {
    assert(HOUSE.has(path), path);
  }
});

// Each rule must find the breach in a small bad house, and nothing in its good neighbour.
const GOOD: Readonly<Record<string, string>> = {
  "main.ts": 'import { a } from "./cmd/a.ts";\nawait import("./cmd/b.ts");\n',
  "mod.ts": '/** Doc. */\nexport { x } from "./lib/protocol/mod.ts";\n',
  "cmd/a.ts": 'import type { X } from "../lib/lab/x.ts";\nconsole.log(1);\n',
  "cmd/b.ts": "Deno.exit(0);\n",
  "lib/lab/x.ts": 'import { m } from "../mailbox/m.ts";\n',
  "lib/mailbox/m.ts": 'import { n } from "../account/n.ts";\n',
  "lib/mailbox/_i.ts": "",
  "lib/mailbox/j.ts": 'import { i } from "./_i.ts";\n',
  "lib/account/n.ts": 'import {\n  x,\n} from "../protocol/mod.ts";\n',
  "lib/onion/o.ts": 'import { d } from "../directory/d.ts";\n',
  "lib/directory/d.ts":
    '// crypto.subtle, console.log\nconst u = "http://x";\n',
  "lib/protocol/mod.ts": 'export { x } from "./channel/x.ts";\n' +
    'export type { Y, Z } from "./crypto/y.ts";\n',
  "lib/protocol/channel/x.ts": 'import { y } from "../crypto/y.ts";\n',
  "lib/protocol/crypto/y.ts": 'import { z } from "../bytes/z.ts";\n' +
    "crypto.subtle.digest();\n",
  "lib/protocol/bytes/z.ts": 'import { parseArgs } from "node:util";\n',
};

Deno.test("architecture: a good house has no breach", () => {
  assertEquals(rules.breaches(new Map(Object.entries(GOOD))), []);
});

const BAD: readonly (readonly [string, string, string])[] = [
  ["lib/lab/x.ts", 'import { b } from "../../cmd/b.ts";', "is higher up"],
  ["lib/net/x.ts", 'export { a } from "../store/a.ts";', "is higher up"],
  ["lib/net/x.ts", 'import type { A } from "../store/a.ts";', "is higher up"],
  ["lib/net/x.ts", 'const a = await import("../store/a.ts");', "is higher up"],
  ["lib/net/x.ts", 'import "../../main.ts";', "is higher up"],
  ["mod.ts", 'export { a } from "./cmd/a.ts";', "is no library"],
  ["lib/mix/x.ts", 'import { o } from "../onion/o.ts";', "another service"],
  ["lib/mix/x.ts", 'import { n } from "../account/n.ts";', "another service"],
  ["lib/onion/x.ts", 'import { m } from "../mailbox/m.ts";', "another service"],
  ["lib/account/x.ts", 'import { d } from "../directory/d.ts";', "service"],
  ["lib/utils/x.ts", 'import { x } from "../net/x.ts";', "in no room"],
  ["cmd/x.ts", 'import { x } from "../tests/x.ts";', "in no room"],
  [
    "lib/protocol/bytes/x.ts",
    'import { y } from "../crypto/y.ts";',
    "higher up in the protocol",
  ],
  ["lib/protocol/noise/x.ts", 'import { x } from "../mod.ts";', "the door"],
  ["lib/net/x.ts", 'import { y } from "../protocol/crypto/y.ts";', "door"],
  ["cmd/x.ts", 'import { i } from "../lib/mailbox/_i.ts";', "internal"],
  ["lib/net/x.ts", 'import fc from "fast-check";', "imports fast-check"],
  ["lib/net/x.ts", 'import x from "https://example.org/x.ts";', "imports http"],
  ["cmd/x.ts", 'import { assert } from "@std/assert";', "imports @std/assert"],
  ["cmd/x.ts", 'import { createHash } from "node:crypto";', "node:crypto"],
  ["lib/net/x.ts", 'import { x } from "./x.ts";', "ring with itself"],
  ["lib/net/x.ts", "await crypto.subtle.digest();", "crypto.subtle"],
  ["cmd/x.ts", "globalThis.crypto . subtle", "crypto.subtle"],
  ["cmd/x.ts", 'crypto["subtle"]', "crypto.subtle"],
  ["cmd/x.ts", "const { subtle } = globalThis.crypto;", "takes subtle"],
  ["lib/net/x.ts", 'console.error("x");', "uses console.error"],
  ["lib/net/x.ts", "Deno.exit(1);", "uses Deno.exit"],
  ["lib/net/x.ts", 'Deno.env.get("HOME");', "uses Deno.env"],
  ["lib/net/x.ts", "Deno.args.length;", "uses Deno.args"],
  ["lib/net/x.ts", "await Deno.stdin.read(b);", "uses Deno.stdin"],
  ["lib/net/x.ts", "Deno.stdout.writeSync(b);", "uses Deno.stdout"],
  ["lib/net/x.ts", "Deno.stderr.writeSync(b);", "uses Deno.stderr"],
  ["lib/net/x.ts", "process.env.HOME;", "uses process.env"],
  ["lib/net/x.ts", 'export * from "./y.ts";', "export *"],
  ["lib/net/x.ts", "export default 1;", "default export"],
  ["lib/net/x.ts", 'import { type A, b } from "./y.ts";', "inline type"],
  [
    "lib/net/x.ts",
    'import {\n  b,\n  type A,\n} from "./y.ts";',
    "inline type",
  ],
  ["lib/net/mod.ts", "export const x = 1;", "holds more"],
  ["lib/net/x.ts", "//\n".repeat(400), "401 lines"],
];

for (const [path, line, breach] of BAD) {
  Deno.test(`architecture: found in ${path}: ${line.slice(0, 60)}`, () => {
    const house = new Map(Object.entries(GOOD));
    house.set(path, `${line}\n`);
    const found = rules.breaches(house);
    assertEquals(found.length, 1, found.join("\n"));
    assert(
      found[0]!.startsWith(`${path}: `) && found[0]!.includes(breach),
      found[0],
    );
  });
}

Deno.test("architecture: a ring of three is found, through types and lazy imports", () => {
  const ring = new Map([
    ["lib/net/a.ts", 'import type { B } from "./b.ts";\n'],
    ["lib/net/b.ts", 'const c = await import("./c.ts");\n'],
    ["lib/net/c.ts", 'export { a } from "./a.ts";\n'],
    ["lib/net/d.ts", 'import { a } from "./a.ts";\n'],
  ]);
  assertEquals(rules.cycles(ring), [
    "lib/net/a.ts: in a ring with lib/net/b.ts, lib/net/c.ts",
  ]);
});

Deno.test("architecture: imports in comments and strings do not count", () => {
  const text = '/** import { a } from "./a.ts"; */\n' +
    'const b = "x"; // import("./c.ts")\n' +
    "/*\nimport './d.ts'\n*/\n" +
    'const url = "http://x"; import("./e.ts");\n';
  assertEquals(specifiersOf(text), ["./e.ts"]);
});

// Our reading of imports against that of the platform.
for (const entry of ["mod.ts", "main.ts"]) {
  Deno.test(`architecture: the graph of ${entry} is the one that deno sees`, async () => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", entry],
      cwd: PROJECT,
      env: { DENO_NO_UPDATE_CHECK: "1" },
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout));
    let seen = 0;
    for (const { local, dependencies = [] } of modules) {
      const path = typeof local === "string" && local.startsWith(PROJECT)
        ? local.slice(PROJECT.length)
        : "";
      const text = HOUSE.get(path);
      if (text === undefined) continue;
      const theirs = dependencies
        .map((each: { specifier: string }) => each.specifier)
        .filter((each: string) => each.startsWith("."))
        .map((each: string) =>
          new URL(each, `file:///${path}`).pathname.slice(1)
        );
      assertEquals(
        [...new Set(importsOf(path, text))].sort(),
        [...new Set(theirs)].sort(),
        path,
      );
      seen++;
    }
    assert(seen > 5);
  });
}
