import { assertEquals, assertRejects } from "@std/assert";
import { PartError } from "../../../lib/transfer/tree/part_error.ts";
import { TreeWriter } from "../../../lib/transfer/tree/tree_writer.ts";
import { inTemp } from "./disk_tree.ts";
import { directory, feed, file, names, sequence } from "./made_sequence.ts";

Deno.test("part S0.9: what is lost is noticed, not made up", async () => {
  const whole = sequence([
    directory("d"),
    file("d/a", 100_000),
    file("d/b", 100_000),
  ]);
  const part = (temp: string) => `${temp}/.sotto-id.part`;
  const losses: readonly ((temp: string) => void)[] = [
    (temp) => Deno.removeSync(part(temp), { recursive: true }),
    (temp) => Deno.removeSync(`${part(temp)}/manifest`),
    (temp) => Deno.removeSync(`${part(temp)}/tree/d/a`),
    (temp) => Deno.removeSync(`${part(temp)}/tree/d`, { recursive: true }),
    (temp) => Deno.truncateSync(`${part(temp)}/tree/d/a`, 99_999),
    (temp) => Deno.truncateSync(`${part(temp)}/tree/d/b`, 10),
    (temp) => {
      Deno.removeSync(`${part(temp)}/tree/d/a`);
      Deno.symlinkSync("/etc/passwd", `${part(temp)}/tree/d/a`);
    },
  ];
  for (const lose of losses) {
    await inTemp(async (temp) => {
      const writer = await TreeWriter.open(temp, "id");
      await feed(writer, whole, 150_000);
      await writer.sync();
      writer.close();
      lose(temp);
      const error = await assertRejects(
        () => TreeWriter.open(temp, "id", 150_000),
        PartError,
      );
      assertEquals(error.code, "ERR_PART_LOST");
      const again = await TreeWriter.open(temp, "id");
      await feed(again, whole);
      await again.finish({ replace: false });
      assertEquals(names(`${temp}/d`), ["a", "b"]);
    });
  }
});

Deno.test("part S0.9: resume offsets that cannot be are refused", () =>
  inTemp(async (temp) => {
    const whole = sequence([file("a")]);
    const writer = await TreeWriter.open(temp, "id");
    assertEquals(await writer.sync(), 0);
    await feed(writer, whole, 10);
    assertEquals(await writer.sync(), 0);
    await feed(writer, whole, 100);
    writer.close();
    for (const offset of [1, 10, whole.length + 1, NaN]) {
      await assertRejects(() => TreeWriter.open(temp, "id", offset), PartError);
    }
  }));

Deno.test("part S0.9: one process at a time", () =>
  inTemp(async (temp) => {
    const writer = await TreeWriter.open(temp, "id");
    const error = await assertRejects(
      () => TreeWriter.open(temp, "id"),
      PartError,
    );
    assertEquals(error.code, "ERR_PART_BUSY");
    const other = await TreeWriter.open(temp, "other");
    other.discard();
    writer.close();
    (await TreeWriter.open(temp, "id")).discard();
    assertEquals(names(temp), []);
  }));

Deno.test("part S0.9: a part directory of somebody else is not used", () =>
  inTemp(async (temp) => {
    Deno.mkdirSync(`${temp}/elsewhere`, { mode: 0o700 });
    Deno.symlinkSync("elsewhere", `${temp}/.sotto-link.part`);
    Deno.mkdirSync(`${temp}/.sotto-open.part`);
    Deno.chmodSync(`${temp}/.sotto-open.part`, 0o777);
    Deno.writeTextFileSync(`${temp}/.sotto-file.part`, "");
    for (const id of ["link", "open", "file"]) {
      const error = await assertRejects(
        () => TreeWriter.open(temp, id),
        PartError,
      );
      assertEquals(error.code, "ERR_PART_UNSAFE");
    }
    assertEquals(names(`${temp}/elsewhere`), []);
    for (const id of ["", "a/b", "..", "a.b", "x".repeat(65)]) {
      await assertRejects(() => TreeWriter.open(temp, id), RangeError);
    }
  }));

for (const size of [60_000, 200_000]) {
  Deno.test(`part S0.9: garbage behind the offset is gone, of ${size} bytes`, () =>
    inTemp(async (temp) => {
      // Zeros, which are not written where they should stand already.
      const whole = sequence([file("a", size), file("b", 10)], 0);
      const writer = await TreeWriter.open(temp, "id");
      await feed(writer, whole, 50_000);
      await writer.sync();
      writer.close();
      const garbage = new Uint8Array(size + 5000).fill(0xff);
      garbage.set(
        Deno.readFileSync(`${temp}/.sotto-id.part/tree/a`).subarray(0, 49_000),
      );
      Deno.writeFileSync(`${temp}/.sotto-id.part/tree/a`, garbage);
      Deno.writeFileSync(`${temp}/.sotto-id.part/tree/b`, garbage);
      const later = await TreeWriter.open(temp, "id", 49_000);
      await feed(later, whole);
      await later.finish({ replace: false });
      const got = Deno.readFileSync(`${temp}/a`);
      assertEquals(got.length, size);
      assertEquals(got.subarray(48_900).findIndex((each) => each !== 0), -1);
      assertEquals(Deno.readFileSync(`${temp}/b`), new Uint8Array(10));
    }));
}
