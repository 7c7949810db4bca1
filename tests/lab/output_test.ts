import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Output } from "../../lib/lab/output.ts";
import { utf8 } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";

Deno.test("lab output: lines are the same however they are cut", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 20 }),
    fc.array(fc.nat({ max: 30 }), { maxLength: 20 }),
    async (texts, cuts) => {
      const lines = texts.map((text) => text.replace(/[\r\n\ufeff]/g, "."));
      const bytes = utf8(lines.map((line) => `${line}\n`).join(""));
      const { output, kept } = await taken(pieces(bytes, cuts));
      assertEquals(output.text, new TextDecoder().decode(bytes));
      assertEquals(kept, bytes.length);
    },
  ));
});

Deno.test("lab output: the last line needs no end", async () => {
  const { output } = await taken([utf8("a\nb")]);
  assertEquals(output.text, "a\nb\n");
});

Deno.test("lab output: of much the beginning and the end stay", async () => {
  const lines = Array.from({ length: 1_000 }, (_, index) => `line ${index}\n`);
  const { output } = await taken([utf8(lines.join(""))]);
  const left = output.text.split("\n");
  assertEquals(left.length, 20 + 500 + 1);
  assertEquals([left[0], left[19]], ["line 0", "line 19"]);
  assertEquals([left[20], left[519]], ["line 500", "line 999"]);
  assertEquals(output.tail(2), "line 998\nline 999\n");
});

Deno.test("lab output: a line is found before and after it comes", async () => {
  const { output } = await taken([utf8("port 1\n")]);
  assertEquals((await output.find(/port (\d+)/))[1], "1");
  const next = output.next(/port (\d+)/);
  const [a, b] = [output.find(/a(.)/), output.find(/b()/)];
  await output.take(ReadableStream.from([utf8("x\nport 2 ab\n")]), keep);
  assertEquals((await next)[1], "2");
  assertEquals([(await a)[1], (await b)[0]], ["b", "b"]);
  assertEquals(output.latest(/port (\d+)/)?.[1], "2");
  assertEquals(output.latest(/nowhere/), undefined);
});

async function taken(
  parts: readonly Bytes[],
): Promise<{ output: Output; kept: number }> {
  const output = new Output();
  let kept = 0;
  await output.take(ReadableStream.from(parts), ({ length }) => {
    kept += length;
    return Promise.resolve();
  });
  return { output, kept };
}

const keep = () => Promise.resolve();

/** `bytes` in pieces of these lengths, then the rest. */
function pieces(bytes: Bytes, lengths: readonly number[]): Bytes[] {
  const parts: Bytes[] = [];
  let at = 0;
  for (const length of lengths) parts.push(bytes.slice(at, at += length));
  return [...parts, bytes.slice(at)];
}
