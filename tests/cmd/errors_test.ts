import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  CommandError,
  describe,
  report,
  UsageError,
} from "../../cmd/errors.ts";
import { InterruptedError, OutputClosedError } from "../../cmd/io.ts";
import { testIo } from "../support/test_io.ts";

async function reported(
  error: unknown,
  debug = false,
): Promise<{ code: number; err: string }> {
  const io = testIo();
  const code = await report(error, io.stderr, { debug });
  return { code, err: io.err };
}

Deno.test("errors: used wrongly is 2, failed is 1, interrupted is 130, closed output is 0", async () => {
  assertEquals(await reported(new UsageError("unknown flag --x")), {
    code: 2,
    err: "sotto: unknown flag --x\n",
  });
  assertEquals(await reported(new CommandError("Cannot do it")), {
    code: 1,
    err: "sotto: cannot do it\n",
  });
  assertEquals(await reported(new InterruptedError()), { code: 130, err: "" });
  assertEquals(await reported(new OutputClosedError()), { code: 0, err: "" });
});

Deno.test("errors: what failed, why, and a hint", async () => {
  const error = new CommandError("Cannot reach 127.0.0.1:1", {
    cause: new Deno.errors.ConnectionRefused(
      "Connection refused (os error 111)",
    ),
  });
  const { err } = await reported(error);
  assertEquals(
    err,
    "sotto: cannot reach 127.0.0.1:1: connection refused\n" +
      "hint: nothing answers at that address; is the server running there?\n",
  );
});

Deno.test("errors: a hint of its own goes before the one of the cause", async () => {
  const error = new CommandError("Cannot read x", {
    hint: "mine",
    cause: new Deno.errors.NotFound("gone"),
  });
  const { err } = await reported(error);
  assertEquals(err, "sotto: cannot read x: gone\nhint: mine\n");
});

Deno.test("errors: a wrapper that repeats its cause is said once", () => {
  const cause = new Error("disk full");
  assertEquals(
    describe(new Error("Cannot save: disk full", { cause })),
    "cannot save: disk full",
  );
});

Deno.test("errors: names keep their capitals", () => {
  assertEquals(describe(new Error("RSA key too short")), "RSA key too short");
  assertEquals(describe(new TypeError("")), "typeError");
  assertEquals(describe("thrown text"), "thrown text");
});

Deno.test("errors: a ring of causes ends", () => {
  const error = new Error("a");
  error.cause = error;
  assertEquals(describe(error), "a");
});

Deno.test("errors: text from outside cannot steer the terminal", async () => {
  const { err } = await reported(new Error("no such file: \x1b[2J\u202e"));
  assertEquals(err, "sotto: no such file: \\u{1b}[2J\\u{202e}\n");
});

Deno.test("errors: a stack only with --debug, with codes and causes", async () => {
  const cause = Object.assign(new Error("inner"), { code: "ERR_INNER" });
  const error = new CommandError("Cannot x", { cause });
  assert(!(await reported(error)).err.includes("errors_test.ts"));
  const { err } = await reported(error, true);
  assertStringIncludes(err, "errors_test.ts");
  assertStringIncludes(err, "debug: [ERR_INNER] Error: inner");
});

Deno.test("errors: a closed standard error changes nothing", async () => {
  const stderr = {
    isTerminal: false,
    columns: 80,
    rows: 24,
    write: () => Promise.reject(new OutputClosedError()),
  };
  assertEquals(await report(new UsageError("x"), stderr), 2);
});
