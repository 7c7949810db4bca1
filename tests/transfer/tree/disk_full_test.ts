import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  DiskFullError,
  diskFullOr,
} from "../../../lib/transfer/tree/disk_full_error.ts";
import { removeAll } from "../../../lib/transfer/tree/part_directory.ts";
import { TreeWriter } from "../../../lib/transfer/tree/tree_writer.ts";
import {
  EVERY_KIND,
  inTemp,
  makeTree,
  pictureOf,
  sequenceOf,
} from "./disk_tree.ts";

Deno.test("disk full S0.9: told by what the system says", () => {
  const error = Object.assign(new Error("x"), { code: "ENOSPC" });
  const full = diskFullOr(error);
  assert(full instanceof DiskFullError);
  assertEquals(full.code, "ERR_DISK_FULL");
  assertEquals(full.cause, error);
  assert(
    diskFullOr(Object.assign(new Error("x"), { code: "EDQUOT" })) instanceof
      DiskFullError,
  );
  for (const other of [new Error("x"), "x", undefined, full]) {
    assertEquals(diskFullOr(other), other);
  }
});

Deno.test({
  name:
    "disk full S0.9: the error of a full disk is the one that is looked for",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    // In a process of its own: devices are for those alone that may do everything.
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        'try { Deno.writeTextFileSync("/dev/full", "x"); } catch (e) { console.log(e.code); }',
      ],
      env: { DENO_NO_UPDATE_CHECK: "1" },
    }).output();
    assertEquals(new TextDecoder().decode(stdout), "ENOSPC\n");
  },
});

/** Every call of the file system that can need room. */
const CALLS = [
  [Deno, "openSync"],
  [Deno, "mkdirSync"],
  [Deno, "symlinkSync"],
  [Deno, "renameSync"],
  [Deno, "writeFileSync"],
  [Deno, "writeTextFileSync"],
  [Deno.FsFile.prototype, "writeSync"],
  [Deno.FsFile.prototype, "write"],
  [Deno.FsFile.prototype, "truncateSync"],
] as const;

type Call = (this: unknown, ...args: unknown[]) => unknown;

/**
 * Runs `body` on a disk of which the call number `n` finds no room; a write that fails has written a
 * part before. Tells whether there was a call `n`.
 */
async function withFullDisk(
  n: number,
  body: () => Promise<void>,
): Promise<boolean> {
  let count = 0;
  const undo: (() => void)[] = [];
  for (const [owner, name] of CALLS) {
    const holder = owner as unknown as Record<string, Call>;
    const real = holder[name]!;
    undo.push(() => holder[name] = real);
    holder[name] = function (...args) {
      const [bytes] = args;
      if (count++ !== n) return real.apply(this, args);
      if (bytes instanceof Uint8Array && bytes.length > 1) {
        // Half of it, and nothing the next time.
        n++;
        return real.call(this, bytes.subarray(0, bytes.length >> 1));
      }
      throw Object.assign(new Error("full"), { code: "ENOSPC" });
    };
  }
  try {
    await body();
  } finally {
    for (const each of undo) each();
  }
  return count > n;
}

async function write(writer: TreeWriter, whole: Bytes): Promise<number> {
  let failures = 0;
  const retried = async (step: () => Promise<unknown>) => {
    try {
      await step();
    } catch (error) {
      assert(error instanceof DiskFullError, String(error));
      failures++;
      await step();
    }
  };
  for (let at = 0; at < whole.length; at += 90_000) {
    await retried(() => writer.write(at, whole.subarray(at, at + 90_000)));
  }
  await retried(() => writer.finish({ replace: false }));
  return failures;
}

Deno.test("disk full S0.9: at every call, and all is well when there is room again", () =>
  inTemp(async (temp) => {
    makeTree(temp, EVERY_KIND.entries);
    const picture = await pictureOf([`${temp}/t`]);
    const whole = await sequenceOf([`${temp}/t`]);
    let n = 0;
    for (;; n++) {
      const to = `${temp}/to-${n}`;
      Deno.mkdirSync(to);
      const writer = await TreeWriter.open(to, "id");
      let failures = 0;
      const more = await withFullDisk(n, async () => {
        failures = await write(writer, whole);
      });
      assertEquals(failures, more ? 1 : 0);
      assertEquals(await pictureOf([`${to}/t`]), picture, `call ${n}`);
      removeAll(to);
      if (!more) break;
    }
    assert(n > 30, `${n} calls`);
  }));

Deno.test("disk full S0.9: a later process goes on, too", () =>
  inTemp(async (temp) => {
    makeTree(temp, EVERY_KIND.entries);
    const whole = await sequenceOf([`${temp}/t`]);
    Deno.mkdirSync(`${temp}/to`);
    const writer = await TreeWriter.open(`${temp}/to`, "id");
    await withFullDisk(
      8,
      () =>
        assertRejects(() => writer.write(0, whole), DiskFullError).then(
          () => {},
        ),
    );
    const durable = await writer.sync();
    writer.close();
    const later = await TreeWriter.open(`${temp}/to`, "id", durable);
    await later.write(durable, whole.subarray(durable));
    const placed = await later.finish({ replace: false });
    assertEquals(await pictureOf(placed), await pictureOf([`${temp}/t`]));
  }));
