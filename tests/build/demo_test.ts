import { assert, assertEquals, assertMatch } from "@std/assert";
import { Background } from "../support/background.ts";
import type { Ending } from "../support/background.ts";
import { PROJECT } from "../support/source_tree.ts";

// Whatever becomes of the demo, it leaves neither files nor processes behind.

const PATIENCE = 120_000;

Deno.test("demo: a server and two people talk, every check holds, nothing is left", async () => {
  await inFolder(async (folder) => {
    const { code, stdout, stderr } = text(await start(folder).ending());
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /^All \d+ checks hold \([\d.]+ s\)\.\n$/m);
    for (const step of ["They talk", "killed", "know", "hides", "place"]) {
      assertMatch(stdout, new RegExp(`^── \\d\\. .*${step}.* ─+$`, "m"));
    }
    assert(!stdout.includes("\x1b"), "no colours where there is no terminal");
    const wide = stdout.split("\n").filter((line) => line.length > 80);
    assertEquals(wide, []);
  });
});

Deno.test("demo: Ctrl-C ends it at once, and nothing is left", async () => {
  await inFolder(async (folder) => {
    const demo = start(folder);
    await demo.waitFor(/── 2\. /, PATIENCE);
    // The demo itself and its server, at least.
    assertMatch(await processesWith(folder), /environ\n.*environ\n/);
    const { code, stdout } = text(await demo.stop("SIGINT"));
    assertEquals(code, 130);
    assert(!stdout.includes("Summary"), stdout);
  });
});

Deno.test("demo: a step that fails is told, and nothing is left", async () => {
  await inFolder(async (folder) => {
    // Without a PATH there is no grep to look into the database with.
    const demo = start(folder, { PATH: "/nonexistent" });
    const { code, stdout } = text(await demo.ending());
    assertEquals(code, 1);
    assertMatch(stdout, /✗ NOT SO: the demo comes to its end$/m);
    assertMatch(stdout, /^1 of \d+ checks DO NOT HOLD/m);
  });
});

function start(folder: string, env: Record<string, string> = {}): Background {
  return new Background(Deno.execPath(), {
    args: ["run", "--quiet", "-A", `${PROJECT}tools/demo.ts`],
    env: { DENO_NO_UPDATE_CHECK: "1", TMPDIR: folder, ...env },
  });
}

/** Runs `work` with a directory for temporary files, which must be as empty afterwards as before. */
async function inFolder(
  work: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "sotto-test-" });
  try {
    await work(folder);
    assertEquals(Array.from(Deno.readDirSync(folder)), []);
    assertEquals(await processesWith(folder), "");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The processes in whose environment `text` stands, as files below /proc. */
async function processesWith(text: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", 'grep -lsF "$0" /proc/[0-9]*/environ', text],
  }).output();
  return new TextDecoder().decode(stdout);
}

function text(
  { code, stdout, stderr }: Ending,
): { code: number; stdout: string; stderr: string } {
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}
