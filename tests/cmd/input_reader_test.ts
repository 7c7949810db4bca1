import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { InputReader, LINE_LIMIT } from "../../cmd/input_reader.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { concat, utf8 } from "../../lib/protocol/mod.ts";

function readerOf(chunks: readonly Bytes[]): InputReader {
  const left = [...chunks];
  return new InputReader(() => Promise.resolve(left.shift() ?? null));
}

async function allLines(reader: InputReader): Promise<string[]> {
  const lines: string[] = [];
  for (let line; (line = await reader.readLine()) !== null;) lines.push(line);
  return lines;
}

const CASES: readonly (readonly [string, string[]])[] = [
  ["", []],
  ["\n", [""]],
  ["a", ["a"]],
  ["a\n", ["a"]],
  ["a\n\nb", ["a", "", "b"]],
  ["a\r\nb\r", ["a", "b"]],
  ["ü€👍\nx", ["ü€👍", "x"]],
];

for (const [text, lines] of CASES) {
  Deno.test(`input: the lines of ${JSON.stringify(text)}, however it is cut`, async () => {
    const bytes = utf8(text);
    assertEquals(await allLines(readerOf([bytes])), lines);
    const single = Array.from(bytes, (byte) => new Uint8Array([byte]));
    assertEquals(await allLines(readerOf(single)), lines);
  });
}

Deno.test("input: lines and chunks in any mixture lose nothing", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.uint8Array({ minLength: 1, maxLength: 9, max: 12 })),
    fc.array(fc.boolean()),
    async (parts, choices) => {
      const chunks = parts.map((part) => new Uint8Array(part));
      const reader = readerOf(chunks);
      const got: Bytes[] = [];
      for (const asLine of choices) {
        if (!asLine) {
          got.push(await reader.read() ?? new Uint8Array(0));
          continue;
        }
        const line = await reader.readLine();
        if (line !== null) got.push(utf8(`${line}\n`));
      }
      for (let rest; (rest = await reader.read()) !== null;) got.push(rest);
      const whole = concat(...chunks);
      const seen = concat(...got);
      assertEquals(seen.slice(0, whole.length), whole);
    },
  ));
});

Deno.test("input: a line without an end is refused, not kept", async () => {
  const endless = new InputReader(() =>
    Promise.resolve(new Uint8Array(65536).fill(97))
  );
  await assertRejects(() => endless.readLine(), RangeError, "1048576");
});

Deno.test("input: a line of just the limit is read", async () => {
  const line = new Uint8Array(LINE_LIMIT).fill(97);
  const reader = readerOf([line, utf8("\nrest")]);
  assertEquals((await reader.readLine())?.length, LINE_LIMIT);
  assertEquals(await reader.readLine(), "rest");
});
