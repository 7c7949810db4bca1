import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { GroupCommit } from "../../lib/store/group_commit.ts";
import { StoreError } from "../../lib/store/store_error.ts";
import { withFolder } from "./folder.ts";

/** A database that counts its commits. */
class Counted {
  readonly db: DatabaseSync;
  readonly commits: string[] = [];

  constructor(path = ":memory:") {
    this.db = new DatabaseSync(path);
    this.db.exec("create table rows (id integer primary key, body blob)");
    const exec = this.db.exec.bind(this.db);
    this.db.exec = (sql) => {
      if (sql === "commit" || sql === "rollback") this.commits.push(sql);
      exec(sql);
    };
  }

  add(id: number): number {
    this.db.prepare("insert into rows (id) values (?)").run(id);
    return id;
  }

  ids(): number[] {
    return this.db.prepare("select id from rows order by id").all()
      .map((row) => row.id as number);
  }
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

Deno.test("group commit: a job's result comes after its commit", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  let isDone = false;
  const written = writer.write(() => counted.add(7)).then((id) => {
    isDone = true;
    assertEquals(counted.commits, ["commit"]);
    return id;
  });
  assertEquals([isDone, counted.commits], [false, []]);
  assertEquals(await written, 7);
  counted.db.close();
});

Deno.test("group commit: what is asked for together is committed together", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  const ids = range(100);
  assertEquals(
    await Promise.all(ids.map((id) => writer.write(() => counted.add(id)))),
    ids,
  );
  assertEquals(counted.commits, ["commit"]);
  assertEquals(counted.ids(), ids);
  counted.db.close();
});

Deno.test("group commit: callers that wait for their answers are gathered again", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  const callers = 50;
  const rounds = 20;
  await Promise.all(
    range(callers).map(async (caller) => {
      for (let round = 0; round < rounds; round++) {
        await writer.write(() => counted.add(round * 1_000 + caller));
      }
    }),
  );
  assertEquals(counted.ids().length, callers * rounds);
  // One for each round, and some more when a timer was late.
  assert(counted.commits.length <= 3 * rounds, `${counted.commits.length}`);
  counted.db.close();
});

Deno.test("group commit: under load callers that are not quite together are gathered", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  const [callers, rounds, spread] = [60, 20, 6];
  await Promise.all(
    range(callers).map(async (caller) => {
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < caller % spread; i++) await turn();
        await writer.write(() => counted.add(round * 1_000 + caller));
      }
    }),
  );
  assertEquals(counted.ids().length, callers * rounds);
  // Whoever commits at every turn needs `spread` for each round.
  assert(
    counted.commits.length <= rounds * spread / 2,
    `${counted.commits.length}`,
  );
  counted.db.close();
});

Deno.test("group commit: one transaction never takes more than 512 jobs", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  await Promise.all(
    range(1_025).map((id) => writer.write(() => counted.add(id))),
  );
  assertEquals(counted.commits.length, 3);
  assertEquals(counted.ids().length, 1_025);
  counted.db.close();
});

Deno.test("group commit: jobs left by companions that stopped are not stuck", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  await Promise.all(range(64).map((id) => writer.write(() => counted.add(id))));
  await turn();
  assertEquals(await writer.write(() => counted.add(100)), 100);
  counted.db.close();
});

Deno.test("group commit: a job that throws does not harm its companions", async () => {
  for (const bad of [0, 1, 4]) {
    const counted = new Counted();
    const writer = new GroupCommit(counted.db);
    const outcomes = await Promise.allSettled(
      range(5).map((id, i) =>
        writer.write(() => {
          counted.add(id);
          if (i === bad) throw new RangeError("no");
          return id;
        })
      ),
    );
    const kept = range(5).filter((_, i) => i !== bad);
    assertEquals(
      outcomes.flatMap((each) =>
        each.status === "fulfilled" ? [each.value] : []
      ),
      kept,
    );
    const refused = outcomes[bad];
    assert(refused?.status === "rejected");
    assert(refused.reason instanceof RangeError);
    assertEquals(counted.ids(), kept);
    assertEquals(counted.commits, ["rollback", "commit"]);
    counted.db.close();
  }
});

Deno.test("group commit: all jobs may throw", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  const outcomes = await Promise.allSettled(
    range(3).map((id) =>
      writer.write(() => {
        throw new RangeError(`${counted.add(id)}`);
      })
    ),
  );
  assertEquals(
    outcomes.map((each) => each.status),
    range(3).map(() => "rejected"),
  );
  assertEquals(counted.ids(), []);
  assertEquals(await writer.write(() => counted.add(9)), 9);
  counted.db.close();
});

Deno.test("group commit: what SQLite refuses rejects one job, without its words", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  const outcomes = await Promise.allSettled(
    [1, 1, 2].map((id) => writer.write(() => counted.add(id))),
  );
  assertEquals(outcomes.map((each) => each.status), [
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  const refused = outcomes[1];
  assert(refused?.status === "rejected");
  const error = refused.reason;
  assert(error instanceof StoreError);
  assertEquals(error.code, "ERR_STORE_FAILED");
  assertEquals(
    error.message,
    "Cannot change the database: the database refused",
  );
  assert(error.cause instanceof Error);
  assertEquals(counted.ids(), [1, 2]);
  counted.db.close();
});

Deno.test("group commit: a job may ask for another", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  let inner: Promise<number> | undefined;
  await writer.write(() => {
    inner = writer.write(() => counted.add(2));
    return counted.add(1);
  });
  assertEquals(await inner, 2);
  assertEquals(counted.ids(), [1, 2]);
  counted.db.close();
});

Deno.test("group commit: a full disk fails every job of the transaction, and nothing of it stays", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  await writer.write(() => counted.add(1));
  const used = counted.db.prepare("pragma page_count").get()!.page_count;
  counted.db.exec(`pragma max_page_count = ${Number(used) + 4}`);
  const fill = counted.db.prepare("insert into rows (body) values (?)");
  const outcomes = await Promise.allSettled(
    range(40).map(() => writer.write(() => fill.run(new Uint8Array(1_000)))),
  );
  assertEquals(outcomes.length, 40);
  for (const outcome of outcomes) {
    assert(outcome.status === "rejected");
    const error = outcome.reason;
    assert(error instanceof StoreError);
    assertEquals(error.code, "ERR_STORE_FULL");
    assertGreater(error.hint.length, 20);
  }
  assertEquals(counted.ids(), [1]);
  counted.db.exec("pragma max_page_count = 1000000");
  assertEquals(await writer.write(() => counted.add(2)), 2);
  counted.db.close();
});

Deno.test("group commit: a database that another connection holds fails the jobs", async () => {
  await withFolder(async (folder) => {
    const counted = new Counted(`${folder}/held.db`);
    const writer = new GroupCommit(counted.db);
    using other = new DatabaseSync(`${folder}/held.db`);
    other.exec("begin immediate");
    const refused = await Promise.allSettled(
      range(2).map((id) => writer.write(() => counted.add(id))),
    );
    for (const each of refused) {
      assert(each.status === "rejected");
      assertEquals((each.reason as StoreError).code, "ERR_STORE_BUSY");
    }
    other.exec("rollback");
    assertEquals(await writer.write(() => counted.add(3)), 3);
    assertEquals(counted.ids(), [3]);
    counted.db.close();
  });
});

Deno.test("group commit: closing writes what is queued and refuses the rest", async () => {
  const counted = new Counted();
  const writer = new GroupCommit(counted.db);
  const written = range(600).map((id) => writer.write(() => counted.add(id)));
  writer.close();
  assertEquals(counted.ids(), range(600));
  assertEquals(await Promise.all(written), range(600));
  const error = await assertRejects(
    () => writer.write(() => counted.add(9_999)),
    StoreError,
  );
  assertEquals(error.code, "ERR_STORE_CLOSED");
  writer.close();
  assertEquals(counted.ids(), range(600));
  counted.db.close();
});
