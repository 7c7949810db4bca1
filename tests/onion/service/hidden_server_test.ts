import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Lab } from "../../../lib/lab/mod.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { sourceLab } from "../../lab/source_lab.ts";
import { until } from "../streams.ts";

/** Runs a command to its end; what it has printed. */
async function ran(
  lab: Lab,
  person: string,
  ...args: string[]
): Promise<string> {
  const { code, text } = await lab.run(person, ["client", ...args]);
  assertEquals(code, 0, text);
  return text;
}

/** Starts a server that listens nowhere; its address. */
async function startHidden(lab: Lab): Promise<string> {
  const home = lab.home("hidden");
  await lab.start("hidden", [
    ...["server", "--onion", "--no-listen", "--data", home],
    ...lab.controllers.flatMap((each) => ["--controller", each]),
  ], /^onion address sotto:/m);
  return addressOf(lab);
}

function addressOf(lab: Lab): string {
  const found = /^onion address (\S+)$/m.exec(lab.logs("hidden"));
  return found![1]!;
}

/** How many TCP sockets of a member wait for connections (proc(5)). */
async function listeningSockets(lab: Lab, name: string): Promise<number> {
  const { pid } = lab.members.get(name)!;
  // Deno itself reads nothing there.
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", `ls -l /proc/${pid}/fd; cat /proc/${pid}/net/tcp*`],
  }).output();
  const text = new TextDecoder().decode(stdout);
  const own = [...text.matchAll(/socket:\[(\d+)\]/g)].map(([, inode]) => inode);
  return text.split("\n").map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === "0A" && own.includes(fields[9])).length;
}

Deno.test("S4: a server that listens nowhere has people, letters and another start", async (t) => {
  await using lab = await sourceLab({ relays: 5, server: false, proxy: false });
  const address = await startHidden(lab);
  assertMatch(address, /^sotto:\/\/[a-z2-7]{52}\.onion$/);

  await t.step("people register there, and write to each other", async () => {
    const flags = ["--server", address, "--non-interactive", "--quiet"];
    await Promise.all([
      ran(lab, "alice", "register", "alice", ...flags),
      ran(lab, "bob", "register", "bob", ...flags),
    ]);
    await ran(lab, "alice", "contacts", "add", "bob", "--quiet");
    await ran(lab, "bob", "contacts", "add", "alice", "--quiet");
    const sent = await ran(lab, "alice", "send", "bob", "nobody knows where");
    assertEquals(sent, "bob@local: stored\n");
    assertMatch(await ran(lab, "bob", "inbox"), /nobody knows where\n$/);
  });

  await t.step(
    "files go by way of it, with and without an account",
    async () => {
      const path = `${lab.directory}/secret.bin`;
      const content = randomBytes(65_536);
      await Deno.writeFile(path, content);
      await ran(lab, "alice", "push", "bob", path, "--quiet");
      await ran(
        lab,
        "bob",
        "pull",
        "--to",
        lab.home("bob"),
        "--yes",
        "--quiet",
      );
      assertEquals(
        await Deno.readFile(`${lab.home("bob")}/secret.bin`),
        content,
      );
      const flags = ["--server", address, "--quiet"];
      const code = (await ran(lab, "carol", "share", path, ...flags)).trim();
      assert(code.startsWith(`${address}/`), code);
      const to = lab.home("alice");
      await ran(lab, "dave", "receive", code, "--to", to, "--quiet");
      assertEquals(await Deno.readFile(`${to}/secret.bin`), content);
    },
  );

  await t.step("it has no socket that anybody could connect to", async () => {
    assertEquals(await listeningSockets(lab, "hidden"), 0);
    assertEquals(await listeningSockets(lab, "relay-1"), 1);
  });

  await t.step("it is the same after another start", async () => {
    await lab.restart("hidden");
    await until(
      () => /^onion address /m.test(lab.logs("hidden")),
      "it is published again",
      30_000,
    );
    assertEquals(addressOf(lab), address);
    await ran(lab, "bob", "send", "alice", "still here");
    assertMatch(await ran(lab, "alice", "inbox"), /still here\n$/);
  });

  await t.step("it ends when it is told to, without a complaint", async () => {
    await lab.kill("hidden", "SIGTERM");
    const logs = lab.logs("hidden");
    assertMatch(logs, / info {2}stopped$/m);
    assert(!/ (warn|error) /.test(logs), logs);
  });
});
