/**
 * Runs the tests, those of the documentation's examples included, and closes with one plain line:
 *
 *     N passed, N failed
 *
 * Arguments are paths to run instead of all (`deno task test tests/cmd`), or flags for `deno test`.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- a tool for the terminal
import { closingLine, countTests } from "./test_count.ts";

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-test-" });
  try {
    const report = `${folder}/junit.xml`;
    const code = await runTests(args, report);
    const xml = await Deno.readTextFile(report).catch(() => "");
    const counts = countTests(xml, code);
    console.log(closingLine(counts));
    return counts.failed > 0 ? code || 1 : 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function runTests(
  args: readonly string[],
  report: string,
): Promise<number> {
  // The dots of the short form come one per line when nobody watches, so then the long form it is.
  const reporter = Deno.stdout.isTerminal() ? ["--reporter=dot"] : [];
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      "test",
      "-P",
      "--parallel",
      "--doc",
      ...reporter,
      `--junit-path=${report}`,
      ...args,
    ],
    env: { DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
  });
  return (await command.spawn().status).code;
}
