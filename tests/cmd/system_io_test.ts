import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Background } from "../support/background.ts";
import { Pty } from "../support/pty.ts";
import { PROJECT } from "../support/source_tree.ts";

const ARGS = ["run", "--quiet", "-A", `${PROJECT}tests/support/io_probe.ts`];
const PROBE = [Deno.execPath(), ...ARGS].join(" ");
const QUIET = { DENO_NO_UPDATE_CHECK: "1" };

function probe(name: string): Background {
  return new Background(Deno.execPath(), { args: [...ARGS, name], env: QUIET });
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Runs a line of the shell with our probe as $PROBE. */
async function shell(
  line: string,
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", line],
    env: { ...QUIET, PROBE },
    stdin: "null",
  }).output();
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("system io: a reader that goes away ends the run quietly", async () => {
  const line = "{ $PROBE flood; echo code $? >&2; } | head -c 3";
  assertEquals(await shell(line), { code: 0, out: "xxx", err: "code 0\n" });
});

Deno.test("system io: lines of a pipe, the last one without its end", async () => {
  const { out } = await shell("printf 'a\\r\\n\\nb' | $PROBE lines");
  assertEquals(out, "[a]\n[]\n[b]\n");
});

Deno.test("S0.3: without a terminal a prompt has no answer, at once", async () => {
  const { code, out, err } = await shell("$PROBE secret");
  assertEquals([code, out, err], [0, '{"secret":null,"line":null}\n', ""]);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.test(`system io: ${signal} lets the command clean up, a second one ends it`, async () => {
    const process = probe("slow");
    try {
      await process.waitFor(/ready/, 10_000);
      process.kill(signal);
      await process.waitFor(/cleaning up/, 10_000);
      assertEquals((await process.stop(signal)).code, 130);
    } finally {
      process.kill();
    }
  });
}

Deno.test("system io: a command that never looks at the signal is ended by the first", async () => {
  const process = probe("deaf");
  await process.waitFor(/ready/, 10_000);
  assertEquals((await process.stop("SIGINT")).code, 130);
});

Deno.test("system io: a failure that nobody waits for is told like any other", async () => {
  const { code, err } = await shell("$PROBE stray");
  assertEquals([code, err], [2, "sotto: a stray failure\n"]);
});

Deno.test("system io: the signal ends a wait for input", async () => {
  await using pty = new Pty(`${PROBE} wait`, QUIET);
  await pty.waitFor(/ready/);
  await pty.type("\x03");
  assertEquals((await pty.ending()).code, 130);
});

Deno.test("system io: on a terminal a secret is not shown, a name is", async () => {
  await using pty = new Pty(`${PROBE} secret`, QUIET);
  await pty.waitFor(/Secret: /);
  await pty.type("hünter3\x7f2\r");
  await pty.waitFor(/Name: /);
  await pty.type("alice\r");
  const { code, output } = await pty.ending();
  assertEquals(code, 0);
  assertEquals(
    output,
    'Secret: \r\nName: alice\r\n{"secret":"hünter2","line":"alice"}\r\n',
  );
});

Deno.test("system io: what is typed ahead of the prompts is not lost", async () => {
  await using pty = new Pty(`${PROBE} secret`, QUIET);
  await pty.waitFor(/Secret: /);
  await pty.type("one\rtwo\r");
  const { output } = await pty.ending();
  assertStringIncludes(output, '{"secret":"one","line":"two"}');
});

// The terminal must be left as it was found, however the program ends.
const SETTINGS = "stty -a | tr ';\\n' '  ' | sed 's/^/[/;s/$/]/'";

for (
  const [what, name, keys, code] of [
    ["Enter", "secret", ["x\r", "y\r"], 0],
    ["Ctrl-C at a secret", "secret", ["x\x03"], 130],
    ["Ctrl-D in a conversation", "talk", ["hi\r", "\x04"], 0],
    ["Ctrl-C in a conversation", "talk", ["hi\x03"], 0],
    ["a stray failure in raw mode", "stray", [], 2],
    ["Ctrl-C twice in raw mode", "raw", ["\x03", "\x03"], 130],
  ] as const
) {
  Deno.test(`system io: after ${what} the terminal is as it was`, async () => {
    // Ctrl-C reaches the shell too; a trap of its own keeps it alive and is not passed on.
    const line =
      `trap : INT; ${SETTINGS}; ${PROBE} ${name}; code=$?; ${SETTINGS}; exit $code`;
    await using pty = new Pty(line, QUIET);
    await pty.waitFor(/Secret: |you> |ready|stray/);
    for (const each of keys) {
      await pty.type(each);
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    const ending = await pty.ending();
    assertEquals(ending.code, code, ending.output);
    const settings = ending.output.match(/\[speed .*?\]/g);
    assertEquals(settings?.length, 2, ending.output);
    assertEquals(settings![0], settings![1]);
    // Bracketed paste is off again, if it was on.
    assertEquals(
      ending.output.split("\x1b[?2004h").length,
      ending.output.split("\x1b[?2004l").length,
    );
  });
}

Deno.test("system io: a conversation on a terminal", async () => {
  await using pty = new Pty(`stty cols 40 rows 10; ${PROBE} talk`, QUIET);
  await pty.waitFor(/you> /);
  await pty.type("held\x1b[D\x1b[Cx\x7f\x7flo\r");
  await pty.waitFor(/sent "hello"/);
  await pty.type("\x1b[200~one\rtwo\x1b[201~\r");
  await pty.waitFor(/sent "one\\ntwo"/);
  await pty.type("\x03");
  const { output } = await pty.ending();
  assertStringIncludes(output, "interrupted: true");
});

Deno.test("system io: the size of the terminal, and 80 x 24 when it knows none", async () => {
  await using pty = new Pty(`stty cols 33 rows 7; ${PROBE} size`, QUIET);
  assertStringIncludes((await pty.ending()).output, "33x7");
  const { out } = await shell("$PROBE size");
  assert(out === "80x24\n" || /^\d+x\d+\n$/.test(out));
});
