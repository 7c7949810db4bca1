/**
 * The two forms of the program that tests run as processes: its source, and the built file.
 *
 * @module
 */
import type { Program } from "./cli.ts";
import { PROJECT } from "./source_tree.ts";

/** The source, run by the Deno that runs the tests. */
export function sourceProgram(): Promise<Program> {
  // The test's own cache of modules, as HOME is another one there.
  const home = Deno.env.get("HOME") ?? "";
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`;
  const denoDir = Deno.env.get("DENO_DIR") ?? `${cache}/deno`;
  return Promise.resolve({
    command: [
      Deno.execPath(),
      "run",
      "--quiet",
      "--cached-only", // the tests have loaded all there is to load
      "--no-prompt",
      "--allow-all",
      `${PROJECT}main.ts`,
    ],
    env: { DENO_DIR: denoDir, DENO_NO_UPDATE_CHECK: "1" },
  });
}

/**
 * Builds the single file at `path`.
 *
 * @returns Its SHA-256 in hex, as the tool says.
 * @throws {Error} If the tool fails.
 */
export async function buildFile(path: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${PROJECT}tools/build.ts`, "--output", path],
    env: { DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const digest = /SHA-256 ([0-9a-f]{64})$/m.exec(text(stdout))?.[1];
  if (code !== 0 || digest === undefined) {
    throw new Error(`Cannot build: ${text(stdout)}${text(stderr)}`);
  }
  return digest;
}
