/** How a run of the tests ended. */
export interface TestCount {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts the tests and steps of a JUnit report written by `deno test`, which ended with `code`.
 *
 * A run that broke without naming a test (a file that does not load, a crash), and one that ran no test
 * at all, counts as one failed: it has proved nothing.
 */
export function countTests(xml: string, code: number): TestCount {
  const root = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  const total = numberOf(root, "tests");
  const failed = numberOf(root, "failures") + numberOf(root, "errors");
  // Text inside the report is escaped, so this tag is never part of a message.
  const skipped = xml.match(/<skipped\b/g)?.length ?? 0;
  const passed = total - failed - skipped;
  const silent = failed === 0 && (code !== 0 || passed === 0);
  return { passed, failed: silent ? 1 : failed, skipped };
}

/** "3 passed, 0 failed", with ", 1 skipped" behind it if any were. */
export function closingLine({ passed, failed, skipped }: TestCount): string {
  const line = `${passed} passed, ${failed} failed`;
  return skipped === 0 ? line : `${line}, ${skipped} skipped`;
}

function numberOf(tag: string, attribute: string): number {
  return Number(new RegExp(` ${attribute}="(\\d+)"`).exec(tag)?.[1] ?? 0);
}
