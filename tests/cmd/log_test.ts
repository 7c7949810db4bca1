import { assertEquals, assertStringIncludes } from "@std/assert";
import { OutputClosedError } from "../../cmd/io.ts";
import type { LogFormat, LogLevel } from "../../cmd/log.ts";
import { Log } from "../../cmd/log.ts";
import type { TestIo } from "../support/test_io.ts";
import { testIo } from "../support/test_io.ts";

function logTo(
  io: TestIo,
  level: LogLevel = "info",
  format: LogFormat = "text",
): Log {
  return new Log({ level, format, out: io.stderr, now: io.now });
}

Deno.test("log: one line per event, quoted where it must be", async () => {
  const io = testIo();
  const log = logTo(io);
  log.info("listening", { address: "127.0.0.1:7300", open: true });
  log.warn("two words", { text: 'a "b"', empty: "", forged: "x\ny=z" });
  await log.close();
  assertEquals(
    io.err,
    "2026-01-01T00:00:00.000Z info  listening address=127.0.0.1:7300 open=true\n" +
      "2026-01-01T00:00:00.000Z warn  two words " +
      'text="a \\"b\\"" empty="" forged="x\\\\u{a}y=z"\n',
  );
});

Deno.test("log: JSON lines, whose own fields cannot be forged", async () => {
  const io = testIo();
  const log = logTo(io, "debug", "json");
  log.debug("start", { level: "error", n: 1, text: "a\nb" });
  await log.close();
  assertEquals(io.err.split("\n").length, 2);
  assertEquals(JSON.parse(io.err), {
    level: "debug",
    n: 1,
    text: "a\nb",
    time: "2026-01-01T00:00:00.000Z",
    event: "start",
  });
});

Deno.test("log: below its level nothing is written", async () => {
  const io = testIo();
  const log = logTo(io, "warn");
  log.debug("a");
  log.info("b");
  log.status({ c: 1 });
  log.warn("d");
  log.error("e");
  await log.close();
  assertEquals(io.err.match(/[a-e]$/gm), ["d", "e"]);
});

Deno.test("log: on a terminal the status stays below the lines, cut to the width", async () => {
  const io = testIo({ terminal: true, columns: 12 });
  const log = logTo(io);
  log.status({ connections: 12345 });
  log.info("x");
  await log.close();
  assertEquals(
    io.err,
    "\r\x1b[Kconnection…" +
      "\r\x1b[K2026-01-01T00:00:00.000Z info  x\nconnection…" +
      "\r\x1b[K",
  );
});

Deno.test("log: a closed output stops nothing", async () => {
  const out = {
    isTerminal: false,
    columns: 80,
    rows: 24,
    write: () => Promise.reject(new OutputClosedError()),
  };
  const log = new Log({ level: "info", format: "text", out, now: () => 0 });
  log.info("a");
  log.info("b");
  await log.close();
});

Deno.test("log: a blocked output costs a bounded number of lines, and the loss is said", async () => {
  const io = testIo();
  const gate = Promise.withResolvers<void>();
  const out = {
    isTerminal: false,
    columns: 80,
    rows: 24,
    async write(data: string | Uint8Array) {
      await gate.promise;
      await io.stderr.write(data);
    },
  };
  const log = new Log({ level: "info", format: "text", out, now: () => 0 });
  for (let i = 0; i < 1500; i++) log.info("flood");
  gate.resolve();
  await log.close();
  log.info("after");
  await log.close();
  assertEquals(io.err.match(/flood/g)?.length, 1000);
  assertStringIncludes(io.err, "warn  log lines lost count=500\n");
});
