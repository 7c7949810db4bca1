import { assert, assertEquals } from "@std/assert";
import { runScript, testScripts } from "../support/cli.ts";
import type { Program } from "../support/cli.ts";
import { buildFile } from "../support/program.ts";
import { parseScript } from "../support/script.ts";

// One file for all that needs the built program: building and unpacking it takes seconds.
const folder = await Deno.makeTempDir({ prefix: "sotto-built-" });
const file = `${folder}/sotto`;
globalThis.addEventListener(
  "unload",
  () => Deno.removeSync(folder, { recursive: true }),
);

let digest: Promise<string> | undefined;

/** The built file; its runtime is unpacked once for all scripts, everything else is empty for each. */
async function built(): Promise<Program> {
  await (digest ??= buildFile(file));
  return { command: [file], env: { XDG_CACHE_HOME: `${folder}/cache` } };
}

Deno.test("build: two builds are the same bytes", async () => {
  await built();
  const again = `${folder}/again`;
  assertEquals(await buildFile(again), await digest);
  assertEquals(await Deno.readFile(again), await Deno.readFile(file));
  assertEquals((await Deno.stat(file)).mode! & 0o777, 0o755);
  await Deno.remove(again);
});

Deno.test("build: it runs with an empty environment and an empty HOME", async () => {
  const script = parseScript("sotto --version\nstdout '^sotto '\n! stderr .\n");
  await runScript(script, { ...await built(), env: {} });
});

Deno.test("build: what lies in the current directory does not change it", async () => {
  const script = parseScript(
    "sotto --version\nstdout '^sotto '\n! stderr .\n" +
      "-- deno.json --\n{ broken\n-- package.json --\n{ broken\n" +
      "-- .env --\nX=1\n-- .npmrc --\nbroken\n",
  );
  await runScript(script, await built());
});

Deno.test("build: the file is one download of reasonable size", async () => {
  await built();
  const { size } = await Deno.stat(file);
  assert(size > 1_000_000 && size < 64 * 1_048_576, `${size} bytes`);
});

// The scripts in which the built file could behave otherwise than the source: files, standard input,
// signals, processes that go on, other machines, threads.
const SCRIPTS: readonly string[] = [
  "export",
  "follow",
  "keygen",
  "letters",
  "login",
  "ping",
  "private",
  "server",
  "usage",
  "version",
];

testScripts(
  new URL("../cli/", import.meta.url),
  "built",
  built,
  (name) => SCRIPTS.includes(name),
);
