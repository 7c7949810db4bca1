import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { NO_ROUTE_FLAGS, Route } from "../../cmd/client/route.ts";
import { fetchFiles } from "../../cmd/client/incoming_files.ts";
import type { Fetched } from "../../cmd/client/incoming_files.ts";
import { OutgoingFiles } from "../../cmd/client/outgoing_files.ts";
import { CommandError } from "../../cmd/errors.ts";
import { InterruptedError } from "../../cmd/io.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { newSecret } from "../../lib/transfer/mod.ts";
import { testIo } from "../support/test_io.ts";
import type { TestIo } from "../support/test_io.ts";
import { KilledDisk } from "../support/killed_disk.ts";
import { fileServer, reserve } from "../transfer/file_server.ts";
import type { FileServer } from "../transfer/file_server.ts";

/** A machine of its own, and what goes over the network from it. */
function machine(home: string): TestIo {
  return testIo({ env: { SOTTO_HOME: home }, now: Date.now });
}

function linkTo({ listener: { port } }: FileServer, io: TestIo) {
  const server = { host: "127.0.0.1", port };
  const route = new Route(io, NO_ROUTE_FLAGS);
  return { io, route, server, patience: 5_000, quiet: true };
}

/** Leaves `path` at the server for two who fetch it. */
async function shared(
  server: FileServer,
  io: TestIo,
  path: string,
): Promise<Bytes> {
  const secret = newSecret();
  await using files = await OutgoingFiles.find(io, [path], {
    name: undefined,
    quiet: true,
  });
  const blob = await files.blob(secret);
  await reserve(server, blob, { downloads: 2, lifetime: 3_600 });
  await files.send(linkTo(server, io), blob, undefined);
  return secret;
}

function fetched(
  server: FileServer,
  home: string,
  secret: Bytes,
  directory: string,
  replace = false,
  agree = () => Promise.resolve(),
): Promise<Fetched> {
  return fetchFiles(
    { ...linkTo(server, machine(home)), pace: undefined, agree },
    secret,
    "shared files",
    { directory, output: undefined, replace },
  );
}

function names(path: string): string[] {
  return Array.from(Deno.readDirSync(path), (each) => each.name).sort();
}

for (const replace of [false, true]) {
  Deno.test(`S0.9: incoming files: killed at every step on the disk, the same command ends with the files in their place once, replace ${replace}`, async () => {
    const temp = await Deno.makeTempDir({ prefix: "sotto-test-" });
    await using server = await fileServer();
    try {
      const from = `${temp}/from/tree`;
      Deno.mkdirSync(`${from}/below`, { recursive: true });
      Deno.writeTextFileSync(`${from}/below/file`, "one");
      Deno.symlinkSync("below/file", `${from}/link`);
      const sender = machine(`${temp}/sender`);
      const [home, other] = [`${temp}/home`, `${temp}/other`];
      const fetchedByOther = async (secret: Bytes) => {
        const to = await Deno.makeTempDir({ dir: temp });
        await fetched(server, other, secret, to);
      };
      let kills = 0;
      for (let survive = 0;; survive++) {
        const secret = await shared(server, sender, from);
        const to = await Deno.makeTempDir({ dir: temp });
        if (replace) Deno.mkdirSync(`${to}/tree/old`, { recursive: true });
        const killed = await KilledDisk.after(
          temp,
          survive,
          () => fetched(server, home, secret, to, replace),
        );
        if (!killed) break;
        kills++;
        const step = `killed after ${survive} steps`;
        const { paths } = await fetched(server, home, secret, to, replace);
        assertEquals(paths, [`${to}/tree`], step);
        assertEquals(names(to), ["tree"], step);
        assertEquals(names(paths[0]!), ["below", "link"], step);
        assertEquals(Deno.readTextFileSync(`${to}/tree/link`), "one", step);
        const claims = names(`${home}/state/claims`);
        // Half of a new one may be left; it goes with the old ones.
        assertEquals(claims.filter((each) => !/\.new$/.test(each)), [], step);
        // It counts as one of the two who may fetch it.
        await fetchedByOther(secret);
      }
      assert(kills > 20, `${kills} kills`);
    } finally {
      await Deno.remove(temp, { recursive: true });
    }
  });
}

for (
  const [what, error, left] of [
    ["refuses leaves nothing", new CommandError("Not fetched"), []],
    [
      "is interrupted while asked is asked again",
      new InterruptedError(),
      [/^\.sotto-[0-9a-f]{16}\.part$/],
    ],
  ] as const
) {
  Deno.test(`incoming files: who ${what}`, async () => {
    const temp = await Deno.makeTempDir({ prefix: "sotto-test-" });
    await using server = await fileServer();
    try {
      const [home, to] = [`${temp}/home`, `${temp}/to`];
      Deno.mkdirSync(to);
      Deno.writeTextFileSync(`${temp}/file`, "one");
      const secret = await shared(server, machine(home), `${temp}/file`);
      const refusal = await assertRejects(() =>
        fetched(server, home, secret, to, false, () => Promise.reject(error))
      );
      assertEquals(refusal, error);
      const there = names(to);
      assertEquals(there.length, left.length);
      for (const [i, each] of left.entries()) assertMatch(there[i]!, each);
      const { paths } = await fetched(server, home, secret, to);
      assertEquals(paths, [`${to}/file`]);
      assertEquals(names(to), ["file"]);
    } finally {
      await Deno.remove(temp, { recursive: true });
    }
  });
}

Deno.test("incoming files: claims that nobody came back to are forgotten in the end", async () => {
  const temp = await Deno.makeTempDir({ prefix: "sotto-test-" });
  await using server = await fileServer();
  try {
    const [home, to] = [`${temp}/home`, `${temp}/to`];
    const claims = `${home}/state/claims`;
    Deno.mkdirSync(claims, { recursive: true });
    Deno.mkdirSync(to);
    const now = Date.now() / 1_000;
    for (const days of [0, 8, 27, 29]) {
      const path = `${claims}/${days}`;
      Deno.writeTextFileSync(path, "");
      Deno.utimeSync(path, now, now - days * 86_400);
    }
    Deno.writeTextFileSync(`${temp}/file`, "one");
    const secret = await shared(server, machine(home), `${temp}/file`);
    await fetched(server, home, secret, to);
    assertEquals(names(claims), ["0", "27", "8"]);
  } finally {
    await Deno.remove(temp, { recursive: true });
  }
});
