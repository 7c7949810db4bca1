import { assert, assertEquals } from "@std/assert";
import type { TreeEntry } from "../../../lib/transfer/tree/tree_entry.ts";
import { TreeWriter } from "../../../lib/transfer/tree/tree_writer.ts";
import { KilledDisk } from "../../support/killed_disk.ts";
import { inTemp, sequenceOf } from "./disk_tree.ts";

/** Receives `paths` into `to` up to the point at which all has come. */
async function received(
  paths: readonly string[],
  to: string,
  id = "id",
): Promise<TreeWriter> {
  const writer = await TreeWriter.open(to, id);
  await writer.write(0, await sequenceOf(paths));
  return writer;
}

function made(directory: string, name: string, text: string): string {
  Deno.mkdirSync(directory, { recursive: true });
  Deno.writeTextFileSync(`${directory}/${name}`, text);
  return `${directory}/${name}`;
}

function names(path: string): string[] {
  return Array.from(Deno.readDirSync(path), (each) => each.name).sort();
}

Deno.test("placement S0.9: what is there stays, the new one gets a number", () =>
  inTemp(async (temp) => {
    const to = `${temp}/to`;
    Deno.mkdirSync(to);
    for (
      const [name, ...wanted] of [
        ["f", "f", "f (1)", "f (2)"],
        ["a.txt", "a.txt", "a (1).txt", "a (2).txt"],
        ["a.tar.gz", "a.tar.gz", "a.tar (1).gz"],
        [".rc", ".rc", ".rc (1)"],
      ] as const
    ) {
      for (const [i, each] of wanted.entries()) {
        const path = made(`${temp}/from`, name, `${i}`);
        const writer = await received([path], to);
        assertEquals(await writer.finish({ replace: false }), [
          `${to}/${each}`,
        ]);
        assertEquals(Deno.readTextFileSync(`${to}/${each}`), `${i}`);
      }
    }
  }));

Deno.test("placement S0.9: directories are numbered behind their whole name", () =>
  inTemp(async (temp) => {
    made(`${temp}/from/d.d`, "f", "new");
    made(`${temp}/to/d.d`, "old", "old");
    const writer = await received([`${temp}/from/d.d`], `${temp}/to`);
    await writer.finish({ replace: false });
    assertEquals(names(`${temp}/to`), ["d.d", "d.d (1)"]);
    assertEquals(names(`${temp}/to/d.d`), ["old"]);
    assertEquals(names(`${temp}/to/d.d (1)`), ["f"]);
  }));

Deno.test("placement S0.9: a dangling link counts as there, and is not followed", () =>
  inTemp(async (temp) => {
    const path = made(`${temp}/from`, "f", "new");
    Deno.mkdirSync(`${temp}/to`);
    Deno.symlinkSync(`${temp}/victim`, `${temp}/to/f`);
    const writer = await received([path], `${temp}/to`);
    assertEquals(await writer.finish({ replace: false }), [
      `${temp}/to/f (1)`,
    ]);
    assertEquals(names(temp), ["from", "to"]);
    const again = await received([path], `${temp}/to`);
    await again.finish({ replace: true });
    assert(Deno.lstatSync(`${temp}/to/f`).isFile);
    assertEquals(names(temp), ["from", "to"]);
  }));

Deno.test("placement S0.9: names of 255 bytes stay names", () =>
  inTemp(async (temp) => {
    const name = `${"é".repeat(125)}.text`;
    const path = made(`${temp}/from`, name, "new");
    made(`${temp}/to`, name, "old");
    const writer = await received([path], `${temp}/to`);
    assertEquals(await writer.finish({ replace: false }), [
      `${temp}/to/${"é".repeat(123)} (1).text`,
    ]);
  }));

const KINDS = ["file", "directory", "link"] as const;

function make(kind: TreeEntry["kind"], path: string, text: string): void {
  if (kind === "directory") made(path, text, text);
  else if (kind === "file") Deno.writeTextFileSync(path, text);
  else Deno.symlinkSync(text, path);
}

for (const old of KINDS) {
  for (const fresh of ["file", "directory"] as const) {
    Deno.test(`placement S0.9: a ${old} is replaced by a ${fresh}`, () =>
      inTemp(async (temp) => {
        Deno.mkdirSync(`${temp}/from`);
        Deno.mkdirSync(`${temp}/to`);
        make(fresh, `${temp}/from/x`, "new");
        make(old, `${temp}/to/x`, "old");
        const writer = await received([`${temp}/from/x`], `${temp}/to`);
        assertEquals(await writer.finish({ replace: true }), [
          `${temp}/to/x`,
        ]);
        assertEquals(names(`${temp}/to`), ["x"]);
        if (fresh === "directory") assertEquals(names(`${temp}/to/x`), ["new"]);
        else assertEquals(Deno.readTextFileSync(`${temp}/to/x`), "new");
      }));
  }
}

Deno.test("placement S0.9: two that finish at once both keep what they have", () =>
  inTemp(async (temp) => {
    const path = made(`${temp}/from`, "f", "x");
    Deno.mkdirSync(`${temp}/to`);
    const writers = await Promise.all(
      ["a", "b", "c"].map((id) => received([path], `${temp}/to`, id)),
    );
    const placed = await Promise.all(
      writers.map((each) => each.finish({ replace: false })),
    );
    assertEquals(placed.flat().sort(), [
      ...[`${temp}/to/f`, `${temp}/to/f (1)`, `${temp}/to/f (2)`],
    ]);
    assertEquals(names(`${temp}/to`), ["f", "f (1)", "f (2)"]);
  }));

// The process ends while things are being moved: every place at which it can.
for (const replace of [false, true]) {
  Deno.test(`placement S0.9: broken off at every move, replace ${replace}`, () =>
    inTemp(async (temp) => {
      const paths = [
        made(`${temp}/from`, "a", "1"),
        made(`${temp}/from`, "b", "2"),
      ];
      made(`${temp}/from/d`, "f", "3");
      made(`${temp}/from/e`, "f", "4");
      paths.push(`${temp}/from/d`, `${temp}/from/e`);
      const whole = await sequenceOf(paths);
      // Where the content of "a" begins, which is moved first.
      const first = whole.findLastIndex((each) => each !== 0) - 3;
      let broken = 0;
      for (let survive = 0; survive < 8; survive++) {
        const to = `${temp}/to-${survive}`;
        made(to, "a", "old");
        made(`${to}/e`, "old", "old");
        const writer = await TreeWriter.open(to, "id");
        await writer.write(0, whole);
        const rename = Deno.renameSync;
        let left = survive;
        Deno.renameSync = (...names) => {
          if (left-- === 0) throw new Error("killed");
          rename(...names);
        };
        try {
          await writer.finish({ replace });
        } catch {
          broken++;
          writer.close();
          Deno.renameSync = rename;
          // What was made durable last may lie before the end.
          const later = await TreeWriter.open(to, "id", first);
          await later.write(later.offset, whole.subarray(later.offset));
          assertEquals(later.offset, whole.length);
          await later.finish({ replace });
        } finally {
          Deno.renameSync = rename;
        }
        assertEquals(
          names(to),
          replace
            ? ["a", "b", "d", "e"]
            : ["a", "a (1)", "b", "d", "e", "e (1)"],
        );
        const fresh = replace ? ["a", "e"] : ["a (1)", "e (1)"];
        assertEquals(Deno.readTextFileSync(`${to}/${fresh[0]}`), "1");
        assertEquals(names(`${to}/${fresh[1]}`), ["f"]);
      }
      assert(broken >= 5, `${broken}`);
    }));
}

Deno.test("placement S0.9: killed at every step, no name stays taken for nothing", () =>
  inTemp(async (temp) => {
    const paths = [
      made(`${temp}/from`, "a", "1"),
      made(`${temp}/from/d`, "f", "2").slice(0, -2),
    ];
    const whole = await sequenceOf(paths);
    let taken = 0;
    for (let survive = 0;; survive++) {
      const to = `${temp}/to-${survive}`;
      made(to, "a", "old");
      const writer = await TreeWriter.open(to, "id");
      await writer.write(0, whole);
      let isPlaced = false;
      const placed = () => {
        isPlaced = true;
        return Promise.resolve();
      };
      const killed = await KilledDisk.after(
        to,
        survive,
        () => writer.finish({ replace: false, placed }),
      );
      if (!killed) break;
      writer.close();
      if (isPlaced) continue; // Whoever was told need not open it again.
      const there = names(to).filter((name) =>
        name === "a (1)" || name === "d"
      );
      taken += there.length;
      const later = await TreeWriter.open(to, "id", whole.length);
      await later.finish({ replace: false });
      assertEquals(names(to), ["a", "a (1)", "d"], `${survive}`);
      assertEquals(Deno.readTextFileSync(`${to}/a`), "old");
      assertEquals(Deno.readTextFileSync(`${to}/a (1)`), "1");
      assertEquals(names(`${to}/d`), ["f"]);
    }
    assert(taken >= 5, `${taken}`);
  }));

for (const kind of ["file", "directory"] as const) {
  Deno.test(`placement S0.9: broken off, and a ${kind} of somebody else takes the name: it stays`, () =>
    inTemp(async (temp) => {
      const [from, to] = [`${temp}/from`, `${temp}/to`];
      Deno.mkdirSync(from);
      Deno.mkdirSync(to);
      make(kind, `${from}/x`, "new");
      const whole = await sequenceOf([`${from}/x`]);
      const writer = await TreeWriter.open(to, "id");
      await writer.write(0, whole);
      const rename = Deno.renameSync;
      try {
        Deno.renameSync = (one, other) => {
          if (other === `${to}/x`) throw new Error("killed");
          rename(one, other);
        };
        await writer.finish({ replace: false }).catch(() => writer.close());
      } finally {
        Deno.renameSync = rename;
      }
      make(kind, `${to}/x`, "theirs");
      const later = await TreeWriter.open(to, "id", whole.length);
      assertEquals(await later.finish({ replace: false }), [`${to}/x (1)`]);
      if (kind === "directory") assertEquals(names(`${to}/x`), ["theirs"]);
      else assertEquals(Deno.readTextFileSync(`${to}/x`), "theirs");
    }));
}
