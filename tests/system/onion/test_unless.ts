/**
 * A test that is ignored where something is missing; its name says then what.
 *
 * @param missing what it is, or undefined.
 */
export function testUnless(
  missing: string | undefined,
  name: string,
  fn: () => Promise<void>,
): void {
  Deno.test({
    name: missing === undefined ? name : `${name} (not here: ${missing})`,
    ignore: missing !== undefined,
    fn,
  });
}

/** What is missing for tests that look into `/proc`. */
export const procMissing: string | undefined = Deno.build.os === "linux"
  ? undefined
  : "there is no /proc";

/** Why tests that need a program cannot run here: it is not there. Otherwise undefined. */
export async function missingProgram(
  program: string,
): Promise<string | undefined> {
  try {
    await new Deno.Command(program, {
      args: ["--version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return undefined;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `there is no ${program}`;
  }
}
