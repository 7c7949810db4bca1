import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MalformedError } from "../../lib/protocol/mod.ts";
import {
  addTextPart,
  ASSEMBLY_LIMIT,
  cutText,
  decodeTextAssembly,
  EMPTY_ASSEMBLY,
  encodeTextAssembly,
  FLAG_CONTINUED,
  FLAG_MORE,
  TEXT_PARTS_LIMIT,
} from "../../lib/peer/mod.ts";
import type { TextAssembly, WaitingPart } from "../../lib/peer/mod.ts";

/** Texts as the messages of one session, with the numbers from `seq` on. */
function parts(texts: readonly string[], seq = 1): WaitingPart[] {
  return texts.flatMap((text, i) =>
    cutText({ id: new Uint8Array(8).fill(i), sentAt: i, text })
  ).map((part, i) => ({ ...part, seq: seq + i }));
}

function feed(
  assembly: TextAssembly,
  arriving: readonly WaitingPart[],
): { assembly: TextAssembly; texts: string[]; discarded: number } {
  const texts: string[] = [];
  let discarded = 0;
  for (const part of arriving) {
    const step = addTextPart(assembly, part);
    assembly = step.assembly;
    if (step.text !== null) texts.push(step.text.text);
    discarded += step.discarded;
    assert(assembly.parts.length <= ASSEMBLY_LIMIT);
  }
  return { assembly, texts, discarded };
}

Deno.test("text assembly: in every order every text is completed once, by its last part", () => {
  const texts = fc.array(
    fc.integer({ min: 0, max: 3000 }).map((length) => "é".repeat(length / 2)),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(fc.property(texts, fc.infiniteStream(fc.nat()), (texts, random) => {
    const sent = parts(texts);
    const arriving = sent
      .map((part) => ({ part, at: random.next().value }))
      .sort((a, b) => a.at - b.at)
      .map(({ part }) => part);
    let assembly = EMPTY_ASSEMBLY;
    const missing = new Set(sent.map(({ seq }) => seq));
    const shown: string[] = [];
    for (const part of arriving) {
      missing.delete(part.seq);
      // It is kept between any two letters, as by a client that stops and starts.
      const step = addTextPart(
        decodeTextAssembly(encodeTextAssembly(assembly)),
        part,
      );
      assembly = step.assembly;
      assertEquals(step.discarded, 0);
      if (step.text !== null) {
        const i = step.text.sentAt;
        assertEquals(step.text.text, texts[i]!);
        shown.push(step.text.text);
      }
      // Naive: complete are the texts none of whose parts is missing.
      let seq = 1;
      const complete = texts.filter((text, i) => {
        const count =
          cutText({ id: new Uint8Array(8), sentAt: i, text }).length;
        const from = seq;
        seq += count;
        return Array.from({ length: count }, (_, j) => from + j)
          .every((each) => !missing.has(each));
      });
      assertEquals([...shown].sort(), complete.sort());
    }
    assertEquals(assembly, EMPTY_ASSEMBLY);
  }));
});

Deno.test("text assembly: a missing part holds up its own text only", () => {
  const all = parts(["a".repeat(1000), "b", "c".repeat(1000), "d"]);
  const lost = all[1]!;
  const first = feed(EMPTY_ASSEMBLY, all.filter((part) => part !== lost));
  assertEquals(first.texts.map((text) => text[0]), ["b", "c", "d"]);
  assertEquals(first.assembly.parts.map(({ seq }) => seq), [1, 3]);
  const second = feed(first.assembly, [lost]);
  assertEquals(second.texts, ["a".repeat(1000)]);
  assertEquals(second.assembly, EMPTY_ASSEMBLY);
});

Deno.test("text assembly: a part that waits already changes nothing", () => {
  const [part] = parts(["a".repeat(1000)]);
  const { assembly } = feed(EMPTY_ASSEMBLY, [part!]);
  const again = addTextPart(assembly, part!);
  assertEquals(again, { assembly, text: null, discarded: 0 });
});

Deno.test("text assembly: what cannot be a text is thrown away and counted", () => {
  const payload = new Uint8Array(399).fill(0x61);
  // Not UTF-8.
  const broken = new Uint8Array(399).fill(0);
  broken.fill(0xff, 16);
  assertEquals(
    feed(EMPTY_ASSEMBLY, [{ seq: 9, flags: 0, payload: broken }]),
    { assembly: EMPTY_ASSEMBLY, texts: [], discarded: 1 },
  );
  // A run that is longer than the longest text, whether or not it has an end.
  const endless = Array.from({ length: TEXT_PARTS_LIMIT + 1 }, (_, i) => ({
    seq: i + 1,
    flags: (i > 0 ? FLAG_CONTINUED : 0) | FLAG_MORE,
    payload,
  }));
  assertEquals(feed(EMPTY_ASSEMBLY, endless), {
    assembly: EMPTY_ASSEMBLY,
    texts: [],
    discarded: TEXT_PARTS_LIMIT + 1,
  });
  // Parts whose flags contradict each other never become one text.
  const torn = feed(EMPTY_ASSEMBLY, [
    { seq: 1, flags: FLAG_MORE, payload },
    { seq: 2, flags: 0, payload: payload.fill(0, 8, 10) },
  ]);
  assertEquals(torn.texts.length, 1);
  assertEquals(torn.assembly.parts.length, 1);
});

Deno.test("text assembly: memory is bounded, the oldest unfinished text goes first", () => {
  const payload = new Uint8Array(399);
  const begun = (seq: number): WaitingPart => ({
    seq,
    flags: FLAG_MORE,
    payload,
  });
  const oldest = parts(["a".repeat(1000)], 5).slice(0, 2);
  let { assembly } = feed(EMPTY_ASSEMBLY, oldest);
  const rest = Array.from(
    { length: ASSEMBLY_LIMIT - 2 },
    (_, i) => begun(100 + 2 * i),
  );
  const filled = feed(assembly, rest);
  assembly = filled.assembly;
  assertEquals(filled.discarded, 0);
  assertEquals(assembly.parts.length, ASSEMBLY_LIMIT);
  assertEquals(decodeTextAssembly(encodeTextAssembly(assembly)), assembly);

  const over = addTextPart(assembly, begun(50));
  assertEquals(over.discarded, 2);
  assertEquals(over.assembly.parts[0]!.seq, 50);
  assertEquals(over.assembly.parts.length, ASSEMBLY_LIMIT - 1);
  // A text of one part passes through a full assembly.
  const [whole] = parts(["whole"], 7);
  assertEquals(addTextPart(assembly, whole!).text?.text, "whole");
});

Deno.test("text assembly: bytes from the vault are checked", () => {
  const { assembly } = feed(
    EMPTY_ASSEMBLY,
    parts(["a".repeat(1500)]).slice(0, 3),
  );
  const bytes = encodeTextAssembly(assembly);
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(
      () => decodeTextAssembly(bytes.subarray(0, length)),
      MalformedError,
    );
  }
  assertThrows(
    () => decodeTextAssembly(new Uint8Array([...bytes, 0])),
    MalformedError,
  );
  const [a, b] = assembly.parts;
  const payload = new Uint8Array(400);
  const bad: readonly WaitingPart[][] = [
    [b!, a!],
    [a!, a!],
    [{ ...a!, payload }],
    Array(ASSEMBLY_LIMIT + 1).fill(a!),
  ];
  for (const parts of bad) {
    assertThrows(
      () => decodeTextAssembly(encodeTextAssembly({ parts })),
      MalformedError,
    );
  }
  assertThrows(
    () => decodeTextAssembly(new Uint8Array([2, 0, 0])),
    MalformedError,
    "version 2",
  );
});
