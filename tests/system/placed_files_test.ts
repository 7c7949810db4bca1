import { assert, assertEquals } from "@std/assert";
import { Network, sleep } from "./network.ts";

const PART = /^\.sotto-([0-9a-f]{16})\.part$/;

async function namesIn(directory: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(directory));
  return names.map(({ name }) => name).sort();
}

Deno.test("S0.9: a pull that was killed when all was in its place says so when it is given again, and fetches nothing else", async () => {
  await using network = await Network.make();
  const server = await network.server();
  try {
    await network.register("alice");
    await network.register("bob");
    const { directory } = network;
    const to = `${directory}/to`;
    await Deno.mkdir(to);
    await Deno.writeFile(`${directory}/file`, new Uint8Array(1_000_000));
    await Deno.writeFile(`${directory}/newer`, new Uint8Array(1));
    await network.run("alice", [
      "client",
      "push",
      "bob@local",
      `${directory}/file`,
    ]);
    const pull = ["client", "pull", "--yes", "--json", "--to", to];
    const first = network.run("bob", [...pull, "--limit-rate", "1M"]);
    let isOver = false;
    first.catch(() => {}).then(() => isOver = true);
    let id: string | undefined;
    while (id === undefined && !isOver) {
      id = PART.exec((await namesIn(to))[0] ?? "")?.[1];
      await sleep(2);
    }
    const { paths } = JSON.parse(await first);
    assertEquals(paths, [`${to}/file`]);
    assertEquals(await namesIn(to), ["file"]);
    assert(id !== undefined, "it was not seen on its way");

    // As it was before the last steps; and something newer has come since.
    await Deno.writeTextFile(`${to}/.sotto-${id}.resume`, '["file"]', {
      mode: 0o600,
    });
    await Deno.mkdir(`${to}/.sotto-${id}.part`, { mode: 0o700 });
    await network.run("alice", [
      "client",
      "push",
      "bob@local",
      `${directory}/newer`,
    ]);
    assertEquals(JSON.parse(await network.run("bob", pull)).paths, paths);
    assertEquals(await namesIn(to), ["file"]);
    const { paths: others } = JSON.parse(await network.run("bob", pull));
    assertEquals(others, [`${to}/newer`]);
    assertEquals(await namesIn(to), ["file", "newer"]);
  } finally {
    await server.kill();
  }
});
