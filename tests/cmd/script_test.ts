import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { runScript } from "../support/cli.ts";
import type { Program } from "../support/cli.ts";
import { parseScript } from "../support/script.ts";

// The runner of the command-line scripts is itself tested: one that lets everything pass proves nothing.

const SHELL: Program = { command: ["/bin/sh", "-c"], env: { GIVEN: "1" } };

async function run(text: string): Promise<void> {
  await runScript(parseScript(text), SHELL);
}

Deno.test("script: words, quotes, variables, background and files", () => {
  const script = parseScript(
    "# the title\n\n! sotto a 'b ''c'' $D'e$F '' &srv\n# more\ncmp x y\n" +
      "-- x --\n1\n2\n-- dir/y --\n",
  );
  assertEquals(script.title, "the title");
  assertEquals(script.lines.map(({ number }) => number), [3, 5]);
  const [first] = script.lines;
  assertEquals([first!.mustFail, first!.background], [true, "srv"]);
  assertEquals(first!.words, [
    [{ text: "sotto", quoted: false }],
    [{ text: "a", quoted: false }],
    [{ text: "b 'c' $D", quoted: true }, { text: "e$F", quoted: false }],
    [{ text: "", quoted: true }],
  ]);
  assertEquals([...script.files], [["x", "1\n2\n"], ["dir/y", ""]]);
});

for (
  const text of ["", "# only a comment\n", "sotto 'open\n", "&x\n"]
) {
  Deno.test(`script: ${JSON.stringify(text)} is no script`, () => {
    assertThrows(() => parseScript(text), SyntaxError);
  });
}

const PASSES: readonly string[] = [
  "sotto true",
  "! sotto false\ncode 1",
  "! sotto 'exit 7'\ncode 7",
  "sotto 'echo one; echo two >&2'\nstdout '^one$'\nstderr ^two$\n! stdout two",
  "sotto 'echo $HOME $GIVEN $(env | wc -l)'\nstdout ^$WORK",
  "sotto pwd\ncapture DIR '^(.*)$'\nsotto 'echo again'\nexists $DIR",
  "stdin in.txt\nsotto cat\ncmp stdout in.txt\nsotto cat\n! stdout .\n" +
  "-- in.txt --\nhello\n",
  "stdin in.txt\nsotto true\n-- in.txt --\nnot read\n",
  "env A=b=c\nsotto 'echo \"$A\"'\nstdout '^b=c$'",
  "sotto 'test $0 -gt 9999 && test $0 -lt 30000' $PORT",
  "machine bob\nsotto 'echo \"$HOME\"; pwd'\nstdout ^$WORK/bob$\nexists bob",
  "cp a b\ncmp a b\nrm a\n! exists a\nmkdir d\nexists d\n-- a --\nx\n",
  "! cmp a b\n-- a --\nx\n-- b --\ny\n",
  "exec touch f\nexec chmod 600 f\nmode f 0600",
  "grep ^x a\n! grep y a\n-- a --\nx\n",
  "sotto 'echo listening on 127.0.0.1:7300; " +
  'trap "exit 0" TERM; while :; do sleep 0.01; done\' &srv\n' +
  "sotto 'echo got $0' $SRV\nstdout '^got 127.0.0.1:7300$'\nstop srv\n" +
  "stdout 'listening on'",
  "sotto 'echo info listening address=[::1]:80 x=y >&2; exec sleep 60' &a\n" +
  "sotto 'echo $0' $A\nstdout '^\\[::1\\]:80$'\n! stop a SIGKILL",
  'sotto \'echo listening on sotto://AB-c@h:1; trap "exit 0" TERM; ' +
  "while :; do sleep 0.01; done' &srv\n" +
  "sotto 'echo $0' $SRV\nstdout '^sotto://AB-c@h:1$'",
  "sotto 'echo one; sleep 0.1; echo two; exit 3' &&bg\nwait bg ^two$\n" +
  "capture X '^(t.o)$'\n! finish bg\ncode 3\nstdout one",
  "sotto 'sleep 0.05; echo done' &&bg\nfinish bg\nstdout done",
];

for (const text of PASSES) {
  Deno.test(`script: passes: ${text.split("\n")[0]}`, async () => {
    await run(text);
  });
}

const FAILS: readonly (readonly [string, string])[] = [
  ["sotto false", "Line 1: sotto false\nit failed"],
  ["! sotto true", "it succeeded"],
  ["sotto true\ncode 1", "Line 2"],
  ["sotto 'echo a'\nstdout b", "/b/ was not found"],
  ["sotto 'echo a'\n! stdout a", "/a/ was found"],
  ["sotto 'echo a'\nstderr a", "not found"],
  ["cmp a b\n-- a --\nx\n-- b --\ny\n", "same bytes"],
  ["! cmp a a\n-- a --\nx\n", "same bytes"],
  ["exists a", "is there"],
  ["! exists a\n-- a --\n", "is there"],
  ["mode a 0600\n-- a --\n", "Line 1"],
  ["grep x a\n-- a --\n", "not found"],
  ["sotto $NOT", "$NOT is not set"],
  ["constructor", "No such command"],
  ["stop x", "nothing runs as x"],
  ["sotto 'echo a'\ncapture X 'b(.)'", "nothing to capture"],
  ["wait x y", "nothing runs as x"],
  ["sotto 'echo a' &&bg\nwait bg b", "It ended without"],
  ["sotto 'exit 1' &&bg\nfinish bg", "it failed"],
  ["sotto 'echo said this' &srv", "It ended without"],
  ["sotto 'echo listening h:1; exec sleep 60' &srv", "srv: "],
];

for (const [text, message] of FAILS) {
  Deno.test(`script: fails: ${text.replaceAll("\n", " / ")}`, async () => {
    await assertRejects(() => run(text), Error, message);
  });
}
