/**
 * Makes the single file: `deno task build` writes `dist/sotto` and prints its size and SHA-256.
 *
 * With the runtime of `deno compile` at hand it is a compiled executable. Without, it is a shell script
 * followed by an archive of the bundled program and the Deno that runs this tool. Either has the same
 * name, behaviour and permissions, and two builds of the same source are the same bytes.
 *
 *     --output FILE    where to write it (dist/sotto)
 *     --runtime FILE   a deno executable for another platform, to make that platform's file
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a tool for the terminal
import { parseArgs } from "node:util";
import { sha256 } from "../lib/protocol/mod.ts";
import type { Bytes } from "../lib/protocol/mod.ts";
import { findDenort } from "./denort.ts";
import { PERMISSIONS, RUNTIME_FLAGS } from "./launcher.ts";
import { singleFile } from "./single_file.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const ENTRY = "main.ts";

if (import.meta.main) await main(Deno.args);

async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      output: { type: "string", default: `${ROOT}dist/sotto` },
      runtime: { type: "string" },
    },
  });
  const { output } = values;
  await Deno.mkdir(new URL(".", `file://${resolve(output)}`), {
    recursive: true,
  });
  // Written beside its place and moved there: whoever runs the old file meanwhile keeps it.
  const draft = `${output}.${Deno.pid}`;
  try {
    const denort = values.runtime === undefined
      ? await findDenort(Deno.env.get("DENORT_BIN"), await denoDir())
      : undefined;
    if (denort === undefined) {
      const runtime = values.runtime ?? Deno.execPath();
      await Deno.writeFile(
        draft,
        await singleFile(await bundle(), await Deno.readFile(runtime)),
      );
    } else {
      await compile(draft);
    }
    await Deno.chmod(draft, 0o755);
    await Deno.rename(draft, output);
  } finally {
    await Deno.remove(draft).catch(() => {});
  }
  const bytes = await Deno.readFile(output);
  const size = (bytes.length / 1_048_576).toFixed(1);
  const digest = (await sha256(bytes)).toHex();
  console.log(`${output}  ${size} MiB  SHA-256 ${digest}`);
}

/** The program and all it imports as one module. */
async function bundle(): Promise<Bytes> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-build-" });
  try {
    const file = `${folder}/sotto.js`;
    await deno(["bundle", "--quiet", "--minify", "--output", file, ENTRY]);
    return await Deno.readFile(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function compile(output: string): Promise<void> {
  await deno([
    "compile",
    "--quiet",
    ...RUNTIME_FLAGS,
    ...PERMISSIONS,
    "--output",
    output,
    ENTRY,
  ]);
}

async function denoDir(): Promise<string> {
  const info = JSON.parse(await deno(["info", "--json"]));
  return info.denoDir;
}

/** Runs deno in the project and gives its standard output. */
async function deno(args: string[]): Promise<string> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stderr: "inherit",
  }).output();
  if (code !== 0) {
    throw new Error(`Cannot build: deno ${args[0]} ended with ${code}`);
  }
  return new TextDecoder().decode(stdout);
}

function resolve(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}
