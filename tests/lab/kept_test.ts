import { assertEquals, assertRejects } from "@std/assert";
import {
  DEFAULT_PLAN,
  LabError,
  NOTHING_KEPT,
  raiseLab,
  readKept,
} from "../../lib/lab/mod.ts";
import { writeKept } from "../../lib/lab/kept.ts";

const KEPT = {
  controllers: ["sotto://a@127.0.0.1:1"],
  ports: { "controller-1": 1, "relay-1": 65_535 },
  people: ["alice"],
  plan: { ...DEFAULT_PLAN, people: ["alice"], quorum: 1 },
};

const DAMAGED: readonly string[] = [
  "",
  "{",
  "null",
  "[]",
  "{}",
  '{"controllers":[],"ports":[],"people":[]}',
  '{"controllers":[1],"ports":{},"people":[]}',
  '{"controllers":[],"ports":{},"people":"alice"}',
  '{"controllers":[],"ports":{"relay-1":0},"people":[]}',
  '{"controllers":[],"ports":{"relay-1":65536},"people":[]}',
  '{"controllers":[],"ports":{"relay-1":"1"},"people":[]}',
  '{"controllers":[],"ports":{},"people":[],"plan":null}',
  '{"controllers":[],"ports":{},"people":[],"plan":{"relays":3}}',
  JSON.stringify({ ...KEPT, plan: { ...KEPT.plan, mix: "2" } }),
];

Deno.test("lab kept: what is written is read, and nothing where nothing is", async () => {
  await inFolder(async (folder) => {
    assertEquals(await readKept(folder), NOTHING_KEPT);
    await writeKept(folder, KEPT);
    assertEquals(await readKept(folder), KEPT);
  });
});

Deno.test("lab kept: what older labs did not have is as by default", async () => {
  await inFolder(async (folder) => {
    const { mix: _mix, cover: _cover, ...plan } = KEPT.plan;
    const text = JSON.stringify({ ...KEPT, plan });
    await Deno.writeTextFile(`${folder}/lab.json`, text, { mode: 0o600 });
    assertEquals(await readKept(folder), KEPT);
  });
});

Deno.test("lab kept: what is damaged is refused", async () => {
  await inFolder(async (folder) => {
    for (const text of DAMAGED) {
      await Deno.writeTextFile(`${folder}/lab.json`, text, { mode: 0o600 });
      const error = await assertRejects(
        () => readKept(folder),
        LabError,
        "it is damaged",
      );
      assertEquals(error.code, "ERR_LAB_PLAN");
    }
  });
});

Deno.test("lab kept: another number of controllers is another network", async () => {
  await inFolder(async (folder) => {
    await writeKept(folder, KEPT);
    const launch = () => {
      throw new Error("nobody is to be started");
    };
    const plan = { controllers: 2, server: false, people: [] };
    await assertRejects(
      () => raiseLab({ launch, directory: folder, ...plan }),
      LabError,
      "Cannot raise 2 controllers here: there were 1",
    );
  });
});

Deno.test("lab kept: people know their server by one address", async () => {
  await inFolder(async (folder) => {
    await writeKept(folder, KEPT);
    const launch = () => {
      throw new Error("nobody is to be started");
    };
    await assertRejects(
      () => raiseLab({ launch, directory: folder, onion: true }),
      LabError,
      "its people know the server by another address",
    );
  });
});

async function inFolder(
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-test-" });
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
