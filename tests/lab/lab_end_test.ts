import { assert, assertEquals, assertRejects } from "@std/assert";
import { LabError, launchProgram, raiseLab } from "../../lib/lab/mod.ts";
import { Background } from "../support/background.ts";
import { sourceProgram } from "../support/program.ts";
import { processesIn, untilNoneIn } from "./processes.ts";
import { sourceLab } from "./source_lab.ts";

// However a lab ends, nobody of it stays.

const PATIENCE = 60_000;
/** Controller, three relays and proxy. */
const SMALL = ["--no-server", "--relays", "3"];

Deno.test("lab: Ctrl-C ends it, and nothing is left", async () => {
  await inFolder(async (folder) => {
    const lab = await command(folder, SMALL);
    await lab.waitFor(/Ctrl-C ends all of it\.$/m, PATIENCE);
    assertEquals((await processesIn(folder)).length, 6);
    const { code, stderr } = await lab.stop("SIGINT");
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    assertEquals(await processesIn(folder), []);
    assertEquals(Array.from(Deno.readDirSync(folder)), []);
  });
});

Deno.test("lab: Ctrl-C while it comes up ends it, and nothing is left", async () => {
  await inFolder(async (folder) => {
    const lab = await command(folder, SMALL);
    while ((await processesIn(folder)).length < 2) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { code, stdout } = await lab.stop("SIGINT");
    assertEquals([code, stdout.length], [130, 0]);
    assertEquals(await processesIn(folder), []);
    assertEquals(Array.from(Deno.readDirSync(folder)), []);
  });
});

Deno.test("lab: when it is killed, its members end by themselves", async () => {
  await inFolder(async (folder) => {
    const lab = await command(folder, [...SMALL, "--json"]);
    const [text] = await lab.waitFor(/^\{.*\}$/m, PATIENCE);
    const { members, proxy, server, temporary } = JSON.parse(text);
    assertEquals([members.length, server, temporary], [5, undefined, true]);
    const pids = members.map(({ pid }: { pid: number }) => pid);
    const before = await processesIn(folder);
    assertEquals(before.toSorted(), [lab.pid, ...pids].toSorted());
    assert(proxy.startsWith("127.0.0.1:"));
    lab.kill("SIGKILL");
    await lab.ending();
    await untilNoneIn(folder, PATIENCE);
  });
});

Deno.test("lab: a member that cannot start is named, with what it said", async () => {
  await inFolder(async (folder) => {
    const flags = (name: string) =>
      name === "relay-2" ? ["--bandwidth", "lots"] : [];
    const error = await assertRejects(
      () => sourceLab({ directory: folder, flags, server: false, relays: 3 }),
      LabError,
      "Cannot use relay-2: it ended with code 2",
    );
    assertEquals(error.code, "ERR_LAB_ENDED");
    const said = error.logs.get("relay-2");
    assert(said?.startsWith("sotto: not a size: lots\n"), said);
    assertEquals([...error.logs.keys()], ["relay-2"]);
    assertEquals(await processesIn(folder), []);
  });
});

Deno.test("lab: a member that says nothing is named when time is up", async () => {
  await inFolder(async (folder) => {
    const program = await sourceProgram();
    const silent = launchProgram({ command: ["sh", "-c", "exec sleep 1000"] });
    const launch = launchProgram(program);
    const error = await assertRejects(
      () =>
        raiseLab({
          launch: (name, ...rest) =>
            name === "controller-1"
              ? silent(name, ...rest)
              : launch(name, ...rest),
          directory: folder,
          patience: 1_000,
          server: false,
        }),
      LabError,
      "Cannot use controller-1: nothing in 1000 ms",
    );
    assertEquals(error.code, "ERR_LAB_LATE");
    assertEquals([...error.logs], [["controller-1", ""]]);
    assertEquals(await processesIn(folder), []);
  });
});

Deno.test("lab: a program that is not there is said so", async () => {
  await inFolder(async (folder) => {
    const launch = launchProgram({ command: ["/nonexistent"] });
    const error = await assertRejects(
      () => raiseLab({ launch, directory: folder }),
      LabError,
      "Cannot start",
    );
    assert(error.cause instanceof Deno.errors.NotFound);
  });
});

async function command(
  folder: string,
  args: readonly string[],
): Promise<Background> {
  const { command: [program = "", ...before], env } = await sourceProgram();
  return new Background(program, {
    args: [...before, "lab", ...args],
    env: { ...env, TMPDIR: folder },
  });
}

/** Runs `work` with a directory of its own. */
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
