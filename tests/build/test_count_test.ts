import { assertEquals } from "@std/assert";
import { closingLine, countTests } from "../../tools/test_count.ts";

function report(tests: number, failures: number, errors: number): string {
  return `<?xml version="1.0"?>\n<testsuites name="deno test" tests="${tests}" ` +
    `failures="${failures}" errors="${errors}" time="0.1">\n` +
    `<testsuite tests="99" failures="9"/><testcase/></testsuites>`;
}

Deno.test("test count: the root of the report is what counts", () => {
  assertEquals(countTests(report(10, 2, 1), 1), {
    passed: 7,
    failed: 3,
    skipped: 0,
  });
});

Deno.test("test count: skipped tests did not pass", () => {
  const xml = report(5, 0, 0).replace("<testcase/>", "<skipped/><skipped/>");
  const counts = countTests(xml, 0);
  assertEquals(counts, { passed: 3, failed: 0, skipped: 2 });
  assertEquals(closingLine(counts), "3 passed, 0 failed, 2 skipped");
});

Deno.test("test count: a run that broke or ran nothing has failed", () => {
  assertEquals(countTests("", 1).failed, 1);
  assertEquals(countTests("", 0).failed, 1);
  assertEquals(countTests(report(0, 0, 0), 0).failed, 1);
  assertEquals(countTests(report(4, 0, 0), 1).failed, 1);
  assertEquals(
    countTests(report(1, 0, 0).replace("<testcase/>", "<skipped/>"), 0).failed,
    1,
  );
});

Deno.test("test count: the closing line is plain", () => {
  assertEquals(
    closingLine({ passed: 3, failed: 0, skipped: 0 }),
    "3 passed, 0 failed",
  );
});
