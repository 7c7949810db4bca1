import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  concat,
  MalformedError,
  sha256,
  u32,
} from "../../../lib/protocol/mod.ts";
import { encodeManifest } from "../../../lib/transfer/tree/manifest.ts";
import type { TreeEntry } from "../../../lib/transfer/tree/tree_entry.ts";
import { TreeWriter } from "../../../lib/transfer/tree/tree_writer.ts";
import { manifests } from "./arbitrary_tree.ts";
import {
  EVERY_KIND,
  inTemp,
  makeTree,
  pictureOf,
  sequenceOf,
} from "./disk_tree.ts";
import { directory, feed, file, names, sequence } from "./made_sequence.ts";

Deno.test("writer S0.9: any tree, in any pieces, broken off anywhere", async () => {
  await fc.assert(
    fc.asyncProperty(
      manifests(),
      fc.array(fc.nat(200_000), { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(3_000_000), { maxLength: 3 }),
      (manifest, lengths, breaks) =>
        inTemp(async (temp) => {
          Deno.mkdirSync(`${temp}/from`);
          Deno.mkdirSync(`${temp}/to`);
          makeTree(`${temp}/from`, manifest.entries);
          const from = `${temp}/from/${manifest.name}`;
          const whole = await sequenceOf([from]);
          let writer = await TreeWriter.open(`${temp}/to`, "id");
          let at = 0;
          for (const place of breaks) {
            await feed(
              writer,
              whole,
              Math.max(writer.offset, place % whole.length),
              1 + lengths[at++ % lengths.length]!,
            );
            const durable = await writer.sync();
            // Comes behind what is durable, and is forgotten.
            await feed(
              writer,
              whole,
              Math.min(whole.length, writer.offset + lengths[0]!),
            );
            writer.close();
            writer = await TreeWriter.open(`${temp}/to`, "id", durable);
            assertEquals(writer.offset, durable);
          }
          await feed(writer, whole, whole.length, 1 + lengths[0]!);
          const placed = await writer.finish({ replace: false });
          assertEquals(placed, [`${temp}/to/${manifest.name}`]);
          assertEquals(names(`${temp}/to`), [manifest.name]);
          assertEquals(await pictureOf(placed), await pictureOf([from]));
        }),
    ),
    { numRuns: 30 },
  );
});

Deno.test("writer S0.9: one tree, resumed at every border and beside it", () =>
  inTemp(async (temp) => {
    makeTree(temp, EVERY_KIND.entries);
    const whole = await sequenceOf([`${temp}/t`]);
    const picture = await pictureOf([`${temp}/t`]);
    const length = encodeManifest(EVERY_KIND).length + 4;
    const borders = [length];
    for (const each of EVERY_KIND.entries) {
      if (each.kind === "file") borders.push(borders.at(-1)! + each.size);
    }
    borders.push(whole.length);
    const points = new Set(
      borders.flatMap((each) => [each - 1, each, each + 1, each + 5000])
        .filter((each) => each >= length && each <= whole.length),
    );
    assert(points.size > 15);
    for (const point of points) {
      const to = `${temp}/to-${point}`;
      Deno.mkdirSync(to);
      const before = await TreeWriter.open(to, "id");
      await feed(before, whole, point);
      assertEquals(await before.sync(), point);
      await feed(before, whole, Math.min(whole.length, point + 100_000));
      before.close();
      const writer = await TreeWriter.open(to, "id", point);
      assertEquals(writer.length, whole.length);
      await feed(writer, whole);
      const placed = await writer.finish({ replace: false });
      assertEquals(await pictureOf(placed), picture);
      assertEquals(names(to), ["t"]);
    }
  }));

Deno.test("writer S0.9: byte by byte", () =>
  inTemp(async (temp) => {
    const whole = sequence([
      directory("d"),
      file("d/a"),
      file("d/b", 0),
      file("d/c", 1),
    ]);
    const writer = await TreeWriter.open(temp, "id");
    await feed(writer, whole, whole.length, 1);
    await writer.finish({ replace: false });
    assertEquals(names(`${temp}/d`), ["a", "b", "c"]);
    assertEquals(Deno.readTextFileSync(`${temp}/d/a`), "aaa");
  }));

Deno.test("writer S0.9: nothing at all can be sent", () =>
  inTemp(async (temp) => {
    const writer = await TreeWriter.open(temp, "id");
    await feed(writer, sequence([]));
    assertEquals(await writer.finish({ replace: false }), []);
    assertEquals(names(temp), []);
  }));

Deno.test("writer S0.9: what is received is closed to others until the end", () =>
  inTemp(async (temp) => {
    const writer = await TreeWriter.open(temp, "id");
    assertEquals(names(temp), [".sotto-id.part"]);
    const info = Deno.lstatSync(`${temp}/.sotto-id.part`);
    assertEquals((info.mode ?? 0) & 0o777, 0o700);
    await feed(writer, sequence([file("a")]));
    assertEquals(names(temp), [".sotto-id.part"]);
    writer.discard();
    assertEquals(names(temp), []);
  }));

const REFUSED: readonly (readonly [string, () => Bytes])[] = [
  ["padding that is not zero", () => {
    const whole = sequence([file("a")]);
    whole[whole.length - 1] = 1;
    return whole;
  }],
  ["the first byte of the padding", () => {
    const whole = sequence([file("a")]);
    whole[whole.lastIndexOf(0x61) + 1] = 1;
    return whole;
  }],
  [
    "bytes behind the end",
    () => concat(sequence([file("a")]), new Uint8Array(1)),
  ],
  [
    "a manifest longer than allowed",
    () => concat(u32(67_108_865), new Uint8Array(100)),
  ],
  ["no manifest", () => new Uint8Array(16_384)],
  ["a name like ours at the top", () => sequence([file(".sotto-x.part")])],
  ["the same in capitals", () => sequence([directory(".SOTTO-x.PART")])],
];

for (const [what, make] of REFUSED) {
  for (const length of [1000, 1_000_000]) {
    Deno.test(`writer S0.9: refused, by ${length}: ${what}`, () =>
      inTemp(async (temp) => {
        const writer = await TreeWriter.open(temp, "id");
        await assertRejects(
          () => feed(writer, make(), undefined, length),
          MalformedError,
        );
        writer.discard();
        assertEquals(names(temp), []);
      }));
  }
}

Deno.test("writer S0.9: bytes out of order are refused, and do no harm", () =>
  inTemp(async (temp) => {
    const whole = sequence([file("a", 50_000)]);
    const writer = await TreeWriter.open(temp, "id");
    await feed(writer, whole, 20_000);
    for (const offset of [0, 19_999, 20_001, 40_000, -1]) {
      await assertRejects(
        () => writer.write(offset, whole.subarray(0, 10)),
        RangeError,
      );
    }
    await assertRejects(() => writer.finish({ replace: false }), RangeError);
    await feed(writer, whole);
    await writer.finish({ replace: false });
    assertEquals(Deno.readTextFileSync(`${temp}/a`), "a".repeat(50_000));
  }));

Deno.test("writer S0.9: names that are one to the rules of Windows are refused", () =>
  inTemp(async (temp) => {
    const writer = await TreeWriter.open(temp, "id", 0, { windows: true });
    await assertRejects(
      () => feed(writer, sequence([file("nul.txt")])),
      MalformedError,
    );
    writer.discard();
  }));

Deno.test("writer S0.9: two names that are one to the disk are refused, not mixed", () =>
  inTemp(async (temp) => {
    // As a disk that does not tell "A" from "a" answers.
    const writer = await TreeWriter.open(temp, "id");
    Deno.writeTextFileSync(`${temp}/.sotto-id.part/tree/b`, "A");
    await assertRejects(
      () => feed(writer, sequence([file("a"), file("b")])),
      MalformedError,
      "one to this disk",
    );
    writer.discard();
  }));

Deno.test("writer S0.9: holes stay holes", () =>
  inTemp(async (temp) => {
    const size = 64 * 2 ** 20;
    Deno.mkdirSync(`${temp}/to`);
    Deno.writeTextFileSync(`${temp}/sparse`, "begin");
    Deno.truncateSync(`${temp}/sparse`, size);
    {
      using file = Deno.openSync(`${temp}/sparse`, { write: true });
      file.seekSync(size / 2 + 1234, Deno.SeekMode.Start);
      file.writeSync(new TextEncoder().encode("middle"));
    }
    const whole = await sequenceOf([`${temp}/sparse`]);
    const writer = await TreeWriter.open(`${temp}/to`, "id");
    // Broken off within a hole.
    await feed(writer, whole, 10_000_001);
    const durable = await writer.sync();
    writer.close();
    const later = await TreeWriter.open(`${temp}/to`, "id", durable);
    await feed(later, whole, whole.length, 100_000);
    const [placed] = await later.finish({ replace: false });
    const info = Deno.statSync(placed!);
    assertEquals(info.size, size);
    assert((info.blocks ?? 0) * 512 < 65_536, `${info.blocks} blocks`);
    assertEquals(
      await sha256(Deno.readFileSync(placed!)),
      await sha256(Deno.readFileSync(`${temp}/sparse`)),
    );
  }));

Deno.test("writer S0.9: modes without rights for the owner, and all times", () =>
  inTemp(async (temp) => {
    const entries: TreeEntry[] = [
      directory("d", 0o500),
      directory("d/closed", 0),
      { ...file("d/closed/f"), mode: 0o000, modified: 1_234_567_890_123 },
      { ...file("d/open"), mode: 0o777, modified: 0 },
    ];
    const writer = await TreeWriter.open(temp, "id");
    await feed(writer, sequence(entries));
    await writer.finish({ replace: false });
    const seen = (path: string) => {
      const { mode, mtime } = Deno.lstatSync(`${temp}/${path}`);
      return [(mode ?? 0) & 0o7777, mtime?.getTime()];
    };
    assertEquals(seen("d"), [0o500, 1000]);
    assertEquals(seen("d/closed"), [0, 1000]);
    assertEquals(seen("d/open"), [0o777, 0]);
    Deno.chmodSync(`${temp}/d/closed`, 0o700);
    assertEquals(seen("d/closed/f"), [0, 1_234_567_890_123]);
    Deno.chmodSync(`${temp}/d`, 0o700);
  }));

Deno.test("writer S0.9: a manifest of 5,000 entries in one piece", () =>
  inTemp(async (temp) => {
    const entries = Array.from(
      { length: 5000 },
      (_, i) => file(`d/${String(i).padStart(5, "0")}`, i % 3),
    );
    const whole = sequence([directory("d"), ...entries]);
    const writer = await TreeWriter.open(temp, "id");
    await feed(writer, whole);
    await writer.finish({ replace: false });
    assertEquals(names(`${temp}/d`).length, 5000);
  }));

Deno.test("writer S0.9: made durable while more is written", () =>
  inTemp(async (temp) => {
    makeTree(temp, EVERY_KIND.entries);
    const whole = await sequenceOf([`${temp}/t`]);
    Deno.mkdirSync(`${temp}/to`);
    const writer = await TreeWriter.open(`${temp}/to`, "id");
    const syncs: Promise<number>[] = [];
    const begun: number[] = [];
    while (writer.offset < whole.length) {
      begun.push(writer.offset);
      syncs.push(writer.sync());
      await feed(writer, whole, Math.min(whole.length, writer.offset + 30_000));
    }
    const durable = await Promise.all(syncs);
    for (const [i, each] of durable.entries()) assertEquals(each, begun[i]);
    const placed = await writer.finish({ replace: false });
    assertEquals(await pictureOf(placed), await pictureOf([`${temp}/t`]));
  }));
