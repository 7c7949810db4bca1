import { assertEquals, assertRejects } from "@std/assert";
import { writeAll } from "../../../lib/protocol/channel/byte_stream.ts";

/** A stream that takes as many bytes of each write as `takes` says in turn. */
function taking(
  takes: number[],
): {
  written: number[];
  write: (bytes: Uint8Array) => Promise<number>;
  read: () => Promise<null>;
  close: () => void;
} {
  const written: number[] = [];
  return {
    written,
    write(bytes) {
      const count = Math.min(takes.shift() ?? Infinity, bytes.length);
      written.push(...bytes.subarray(0, count));
      return Promise.resolve(count);
    },
    read: () => Promise.resolve(null),
    close() {},
  };
}

Deno.test("writeAll: writes on until everything is taken, each byte once", async () => {
  const bytes = new Uint8Array(20).map((_, i) => i);
  for (const takes of [[], [1, 1, 1], [0, 5, 0, 3], [19, 1], [20]]) {
    const stream = taking(takes);
    await writeAll(stream, bytes);
    assertEquals(stream.written, [...bytes]);
  }
});

Deno.test("writeAll: no bytes are no write", async () => {
  let writes = 0;
  const stream = {
    ...taking([]),
    write: () => Promise.resolve(++writes),
  };
  await writeAll(stream, new Uint8Array(0));
  assertEquals(writes, 0);
});

Deno.test("writeAll: a failure in the middle is the caller's", async () => {
  let writes = 0;
  const stream = {
    ...taking([]),
    write: () =>
      ++writes < 3
        ? Promise.resolve(2)
        : Promise.reject(new Deno.errors.BrokenPipe()),
  };
  await assertRejects(
    () => writeAll(stream, new Uint8Array(10)),
    Deno.errors.BrokenPipe,
  );
});
