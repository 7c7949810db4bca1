import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { concat, MalformedError } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { SingleFileSink } from "../../../lib/transfer/tree/single_file_sink.ts";
import { content, inTemp, sequenceOf } from "./disk_tree.ts";

for (const size of [0, 1, 16_000, 300_000]) {
  for (const length of [7, 4096, 1_000_000]) {
    Deno.test(`sink S0.9: ${size} bytes in pieces of ${length}`, () =>
      inTemp(async (temp) => {
        const sent = content(size);
        Deno.writeFileSync(`${temp}/f`, sent);
        const whole = await sequenceOf([`${temp}/f`]);
        const got: Bytes[] = [];
        const sink = new SingleFileSink((bytes) => {
          got.push(bytes);
          return Promise.resolve();
        });
        for (let at = 0; at < whole.length; at += length) {
          assertThrows(() => sink.finish(), RangeError);
          await sink.write(at, whole.subarray(at, at + length));
        }
        sink.finish();
        assertEquals(sink.manifest?.name, "f");
        assertEquals(sink.length, whole.length);
        const all = concat(...got);
        assertEquals(all.length, size);
        assert(all.every((each, i) => each === sent[i]));
      }));
  }
}

Deno.test("sink S0.9: anything but one file is refused before it gives anything", () =>
  inTemp(async (temp) => {
    Deno.mkdirSync(`${temp}/d`);
    Deno.writeTextFileSync(`${temp}/a`, "x");
    Deno.writeTextFileSync(`${temp}/d/b`, "x");
    for (const names of [["d"], ["a", "d/b"], ["d", "a"]]) {
      const whole = await sequenceOf(names.map((each) => `${temp}/${each}`));
      const sink = new SingleFileSink(() => Promise.reject(new Error("used")));
      await assertRejects(() => sink.write(0, whole), MalformedError);
    }
  }));

Deno.test("sink S0.9: padding, length and order are looked at", () =>
  inTemp(async (temp) => {
    Deno.writeTextFileSync(`${temp}/f`, "x");
    const whole = await sequenceOf([`${temp}/f`]);
    const sink = () => new SingleFileSink(() => Promise.resolve());
    const dirty = whole.slice();
    dirty[dirty.length - 1] = 1;
    await assertRejects(() => sink().write(0, dirty), MalformedError);
    const long = concat(whole, new Uint8Array(1));
    await assertRejects(() => sink().write(0, long), MalformedError);
    await assertRejects(() => sink().write(1, whole), RangeError);
  }));
