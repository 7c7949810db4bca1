import type { Bytes } from "../../lib/protocol/mod.ts";

/** The `openssl` command line (version 3), as the other side of a test. */
export interface OpenSsl {
  /** Writes a file for it and gives the file's path. */
  file(content: string | Bytes): Promise<string>;
  /**
   * Runs `openssl` with `args`.
   *
   * @returns what it printed.
   * @throws {Error} if it fails, with what it said.
   */
  run(...args: readonly string[]): Promise<Bytes>;
  /** As `run`, for output that is text. */
  text(...args: readonly string[]): Promise<string>;
}

/** Whether there is an `openssl` of version 3 on this machine; without one such tests are ignored. */
export const hasOpenSsl = await (async () => {
  try {
    const { stdout } = await new Deno.Command("openssl", { args: ["version"] })
      .output();
    return new TextDecoder().decode(stdout).startsWith("OpenSSL 3");
  } catch {
    return false;
  }
})();

/** Runs `body` with an `openssl` whose files are gone afterwards. */
export async function withOpenSsl(
  body: (openssl: OpenSsl) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  let files = 0;
  async function run(...args: readonly string[]): Promise<Bytes> {
    const command = new Deno.Command("openssl", {
      args: [...args],
      stdin: "null",
    });
    const { success, stdout, stderr } = await command.output();
    if (!success) {
      const said = new TextDecoder().decode(stderr);
      throw new Error(`openssl ${args.join(" ")} failed: ${said}`);
    }
    return stdout;
  }
  try {
    await body({
      async file(content) {
        const path = `${directory}/${files++}`;
        if (typeof content === "string") {
          await Deno.writeTextFile(path, content);
        } else await Deno.writeFile(path, content);
        return path;
      },
      run,
      text: async (...args) => new TextDecoder().decode(await run(...args)),
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
