import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  CommandError,
  describe,
  report,
  UsageError,
} from "../../cmd/errors.ts";
import { InterruptedError, OutputClosedError } from "../../cmd/io.ts";
import { hintedCodes } from "../../cmd/hints.ts";
import { AccountError } from "../../lib/account/account_error.ts";
import { ServerKeyChangedError } from "../../lib/identity/known_servers.ts";
import { readSourceTree } from "../support/source_tree.ts";
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
    describe(new CommandError("Cannot save: disk full", { cause })),
    "cannot save: disk full",
  );
});

Deno.test("errors: what the library keeps as a cause only is not shown", async () => {
  const cause = new Error("UNIQUE constraint failed: content of a letter");
  const error = new CommandError("Cannot send", {
    cause: new Error("Cannot store: the database refused", { cause }),
  });
  assertEquals(
    (await reported(error)).err,
    "sotto: cannot send: cannot store: the database refused\n",
  );
  assertStringIncludes((await reported(error, true)).err, "constraint");
});

Deno.test("errors: an interruption or a closed output counts however deep it is", async () => {
  const wrap = (cause: Error) => new CommandError("Cannot x", { cause });
  assertEquals((await reported(wrap(new InterruptedError()))).code, 130);
  assertEquals((await reported(wrap(new OutputClosedError()))).code, 0);
});

Deno.test("errors: the hint that an error brings, and how long to wait", async () => {
  const full = Object.assign(new Error("Cannot store"), { hint: "make room" });
  assertStringIncludes((await reported(full)).err, "\nhint: make room\n");
  const busy = new AccountError("log in", "throttled", 90);
  assertStringIncludes(
    (await reported(busy)).err,
    "hint: try again in 1m 30s\n",
  );
  const taken = new AccountError("register", "name-taken");
  assertEquals(
    (await reported(taken)).err,
    "sotto: cannot register: the name is taken\nhint: choose another name\n",
  );
});

Deno.test("errors: a changed key of a server is a warning nobody overlooks", async () => {
  const [old, shown] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const { code, err } = await reported(
    new CommandError("Cannot log in", {
      cause: new ServerKeyChangedError("h:1", old, shown),
    }),
  );
  assertEquals(code, 1);
  assertStringIncludes(err, "\n\nTHE KEY OF h:1 HAS CHANGED\n");
  assertStringIncludes(err, "\nhint: ask whoever runs the server");
});

Deno.test("errors: every code and reason with a hint is one of the library's", async () => {
  const source = [...await readSourceTree(["lib"])].map(([, text]) => text)
    .join("\n");
  const { codes, reasons } = hintedCodes();
  assert(codes.length > 10 && reasons.length > 10);
  for (const each of [...codes, ...reasons]) {
    assert(source.includes(`"${each}"`), each);
  }
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
