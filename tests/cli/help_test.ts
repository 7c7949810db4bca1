import { assert, assertEquals, assertMatch } from "@std/assert";
import { sourceProgram } from "../support/program.ts";

// Walks through all commands as a person would: each help names the commands below it.

const LEAST = 30;

Deno.test("cli: every command and subcommand has help with its usage and an example", async () => {
  const seen = new Set<string>();
  const left: { words: string[]; above: string }[] = [{ words: [], above: "" }];
  for (let next; (next = left.pop()) !== undefined;) {
    const { words, above } = next;
    const name = ["sotto", ...words].join(" ");
    if (seen.has(name)) continue;
    const { code, stdout, stderr } = await run([...words, "--help"]);
    assertEquals([code, stderr], [0, ""], name);
    if (stdout === above) continue; // an operand, no command: `keygen import node`
    seen.add(name);
    assertMatch(stdout, new RegExp(`^Usage: ${name}\\b`, "m"), name);
    assertMatch(stdout, /^Examples?:\n {2}\S/m, name);
    const wide = stdout.split("\n").filter((line) => line.length > 120);
    assertEquals(wide, [], name);
    for (const below of commandsIn(stdout, name)) {
      left.push({ words: [...words, below], above: stdout });
    }
  }
  assert(seen.size >= LEAST, `only ${seen.size} commands`);
  for (const each of ["client contacts add", "server invite revoke"]) {
    assert(seen.has(`sotto ${each}`), each);
  }
});

/** From the list of commands, or from the usage lines: a lower-case word behind the name. */
function commandsIn(help: string, name: string): string[] {
  const list = /^Commands:\n((?: {2}.*\n)+)/m.exec(help)?.[1];
  if (list !== undefined) {
    return list.trimEnd().split("\n").map((line) => line.trim().split(" ")[0]!);
  }
  const usage = help.matchAll(
    new RegExp(`^(?:Usage:| {6}) ${name} (\\S+)`, "gm"),
  );
  return Array.from(usage, ([, word]) => word!.replace(/^\[(\w+)\]$/, "$1"))
    .filter((word) => /^[a-z]+$/.test(word));
}

async function run(
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { command: [program = "", ...before], env } = await sourceProgram();
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...before, ...args],
    env: { ...env, HOME: "/nonexistent" },
    clearEnv: true,
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
