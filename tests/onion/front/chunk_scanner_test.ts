import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  carryBody,
  carryInChunks,
  SinkError,
} from "../../../lib/onion/front/carry_body.ts";
import type { Framing } from "../../../lib/onion/front/body_framing.ts";
import { ChunkScanner } from "../../../lib/onion/front/chunk_scanner.ts";
import { StreamInput } from "../../../lib/onion/front/stream_input.ts";
import { concat, MalformedError, utf8 } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { memoryConnection } from "../../support/memory_stream.ts";

const BODIES = [
  "0\r\n\r\n",
  "5\r\nhello\r\n0\r\n\r\n",
  "000005\r\nhello\r\n000\r\n\r\n",
  'a;b=c;d="e"\r\n0123456789\r\nA\r\n0123456789\r\n0;x\r\n\r\n',
  "1\r\nx\r\n0\r\nTrailer: yes\r\nMore: \xff\r\n\r\n",
  `${"0".repeat(12)}1\r\nx\r\n0\r\n\r\n`,
];

for (const body of BODIES) {
  Deno.test(`chunks: ${JSON.stringify(body).slice(0, 40)} ends where it ends, however it comes`, () => {
    const bytes = concat(utf8(body), utf8("GET / HTTP/1.1"));
    const end = utf8(body).length;
    for (const step of [1, 2, 3, 7, bytes.length]) {
      const scanner = new ChunkScanner();
      let at = 0;
      while (!scanner.done) {
        const piece = bytes.subarray(at, at + step);
        assert(piece.length > 0);
        at += scanner.scan(piece);
      }
      assertEquals(at, end);
    }
  });
}

const NONE = [
  ...["\r\n", "x", ";", "-1\r\n", " 1\r\n", "1 \r\n", "0x1\r\n", "1\n", "1\rx"],
  ...["1\r\nab", "1\r\na\n", "1\r\na\rb", "0\r\n\n", "0\r\n\r\r", "0\r\na\n"],
  ...["1;a\n", "1;\0\r\n", "0\r\na\0", "0\r\na\rb", `${"0".repeat(14)}`],
  ...[`1;${"a".repeat(4_097)}`, `0\r\n${"a".repeat(65_537)}`],
];

for (const body of NONE) {
  Deno.test(`chunks: ${JSON.stringify(body).slice(0, 30)} are none`, () => {
    assertThrows(() => new ChunkScanner().scan(utf8(body)), MalformedError);
  });
}

Deno.test("chunks: trailers of many lines are bounded together", () => {
  const scanner = new ChunkScanner();
  scanner.scan(utf8("0\r\n"));
  assertThrows(() => {
    for (let i = 0; i < 70_000; i++) scanner.scan(utf8("a\r\n"));
  }, MalformedError);
});

/** An input from which `bytes` come in pieces of at most `readAtMost`, then the end. */
async function inputOf(
  bytes: Bytes,
  readAtMost = Infinity,
): Promise<StreamInput> {
  const { left, right } = memoryConnection({
    rightward: { readAtMost, capacity: Infinity },
  });
  await left.write(bytes);
  left.close();
  return new StreamInput(right);
}

async function carried(
  framing: Framing,
  body: Bytes,
  readAtMost?: number,
): Promise<{ out: string; rest: string }> {
  const input = await inputOf(concat(body, utf8("rest")), readAtMost);
  let out: Bytes = new Uint8Array(0);
  await carryBody(framing, input, (bytes) => {
    out = concat(out, new Uint8Array(bytes));
    return Promise.resolve();
  });
  const rest = new Uint8Array(100);
  const count = await input.take(
    (bytes) => bytes.length < 4 ? undefined : { value: 4, length: 0 },
    100,
  );
  assertEquals(count, framing.kind === "end" ? undefined : 4);
  const length = await input.read(rest) ?? 0;
  return { out: out.toHex(), rest: rest.subarray(0, length).toHex() };
}

Deno.test("bodies: carried to their end and no further, at any length and however they come", async () => {
  for (const length of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
    const body = new Uint8Array(length).fill(65);
    for (const piece of [undefined, 1_000]) {
      assertEquals(await carried({ kind: "length", length }, body, piece), {
        out: body.toHex(),
        rest: utf8("rest").toHex(),
      });
    }
    const size = `${length.toString(16)}\r\n`;
    const chunks = length === 0
      ? utf8("0\r\n\r\n")
      : concat(utf8(size), body, utf8("\r\n0\r\n\r\n"));
    assertEquals(await carried({ kind: "chunked" }, chunks), {
      out: chunks.toHex(),
      rest: utf8("rest").toHex(),
    });
  }
  assertEquals(await carried({ kind: "end" }, utf8("abc")), {
    out: utf8("abcrest").toHex(),
    rest: "",
  });
});

Deno.test("bodies: one that is cut short is no body", async () => {
  const framings: Framing[] = [{ kind: "length", length: 4 }, {
    kind: "chunked",
  }];
  for (const framing of framings) {
    const input = await inputOf(utf8("3\r\n"));
    await assertRejects(
      () => carryBody(framing, input, () => Promise.resolve()),
      MalformedError,
    );
  }
});

Deno.test("bodies: whose fault it is can be told", async () => {
  const broken = () => Promise.reject(new Deno.errors.BrokenPipe("x"));
  const input = await inputOf(utf8("abcd"));
  await assertRejects(
    () => carryBody({ kind: "length", length: 4 }, input, broken),
    SinkError,
  );
});

Deno.test("bodies: in chunks of our own they are whole", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 50 }),
      async (body, piece) => {
        let out: Bytes = new Uint8Array(0);
        await carryInChunks(
          await inputOf(new Uint8Array(body), piece),
          (bytes) => {
            out = concat(out, new Uint8Array(bytes));
            return Promise.resolve();
          },
        );
        const scanner = new ChunkScanner();
        assertEquals(scanner.scan(out), out.length);
        assert(scanner.done);
        // Taken apart by a naive reader.
        let plain: Bytes = new Uint8Array(0);
        for (let at = 0;;) {
          const end = out.indexOf(10, at);
          const size = parseInt(
            new TextDecoder().decode(out.slice(at, end)),
            16,
          );
          if (size === 0) break;
          plain = concat(plain, out.slice(end + 1, end + 1 + size));
          at = end + 1 + size + 2;
        }
        assertEquals(plain.toHex(), body.toHex());
      },
    ),
    { numRuns: 50 },
  );
});
