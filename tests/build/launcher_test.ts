import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { utf8 } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { singleFile } from "../../tools/single_file.ts";

// A runtime that says how it was called: the launcher is what is tested here, and the real runtime
// takes most of a second to unpack.
const RUNTIME = utf8(`#!/bin/sh
[ "$1" = --version ] && exit 0
echo "pid $$"
echo "dir $DENO_DIR"
for each in "$@"; do echo "arg [$each]"; done
exit 7
`);
const PROGRAM = utf8("a program");
const FILE = await singleFile(PROGRAM, RUNTIME);
const ROOT = Deno.uid() === 0;

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

class Place {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  async run(
    env: Record<string, string>,
    args: string[] = [],
    options: { uid?: number } = {},
  ): Promise<Run> {
    const { code, stdout, stderr } = await new Deno.Command(
      `${this.folder}/sotto`,
      {
        args,
        env: { PATH: "/usr/bin:/bin", TMPDIR: `${this.folder}/tmp`, ...env },
        clearEnv: true,
        ...options,
      },
    ).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, out: text(stdout), err: text(stderr) };
  }
}

async function inPlace(
  body: (place: Place) => Promise<void>,
  file: Bytes = FILE,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.chmod(folder, 0o755);
    await Deno.writeFile(`${folder}/sotto`, file, { mode: 0o755 });
    for (const name of ["home", "tmp"]) await Deno.mkdir(`${folder}/${name}`);
    await Deno.chmod(`${folder}/tmp`, 0o1777);
    await body(new Place(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function filesUnder(path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) found.push(...await filesUnder(`${path}/${name}`));
    else found.push(name);
  }
  return found.sort();
}

Deno.test("launcher: arguments, exit code and nothing left but the program", async () => {
  await inPlace(async (place) => {
    const args = ["server", "a b", "", "*", "--flag=x\ny"];
    const { code, out, err } = await place.run(
      { HOME: `${place.folder}/home` },
      args,
    );
    assertEquals([code, err], [7, ""]);
    const given = args.map((each) => `arg [${each}]\n`).join("");
    assert(out.endsWith(`/sotto.js]\n${given}`), out);
    const cache = `${place.folder}/home/.cache/sotto`;
    assertEquals(await filesUnder(cache), [".complete", "deno", "sotto.js"]);
    assertEquals((await Deno.stat(cache)).mode! & 0o777, 0o700);
  });
});

Deno.test("launcher: least permissions, and nothing of the current directory", async () => {
  await inPlace(async (place) => {
    const { out } = await place.run({ HOME: `${place.folder}/home` });
    assertEquals(
      [...out.matchAll(/^arg \[(--.*)\]$/gm)].map(([, flag]) => flag).sort(),
      [
        "--allow-env",
        "--allow-net",
        "--allow-read",
        "--allow-sys",
        "--allow-write",
        "--no-config",
        "--no-lock",
        "--no-npm",
        "--no-prompt",
        "--no-remote",
        "--quiet",
        "--v8-flags=--max-semi-space-size=2,--no-parallel-scavenge",
      ],
    );
  });
});

Deno.test("launcher: where it unpacks, by what the environment says", async () => {
  await inPlace(async (place) => {
    const at = (name: string) => `${place.folder}/${name}`;
    const HOME = at("home");
    const cases: readonly (readonly [Record<string, string>, string])[] = [
      [{ HOME }, at("home/.cache/sotto")],
      [{ HOME, XDG_CACHE_HOME: at("xdg") }, at("xdg/sotto")],
      [{ HOME, XDG_CACHE_HOME: "relative" }, at("home/.cache/sotto")],
      [{ HOME, SOTTO_HOME: at("all") }, at("all/cache")],
      [{ XDG_CACHE_HOME: at("only") }, at("only/sotto")],
      [{}, at(`tmp/sotto-${Deno.uid()}`)],
      [{ HOME: at("absent") }, at(`tmp/sotto-${Deno.uid()}`)],
    ];
    for (const [env, cache] of cases) {
      const { code, out } = await place.run(env);
      assertEquals(code, 7);
      assertStringIncludes(out, `dir ${cache}/runtime-`);
    }
  });
});

Deno.test({
  name: "launcher: a HOME that cannot be written to is passed over",
  ignore: !ROOT,
  async fn() {
    await inPlace(async (place) => {
      const { code, out, err } = await place.run(
        {
          HOME: `${place.folder}/home`,
        },
        [],
        { uid: 12345 },
      );
      assertEquals([code, err], [7, ""]);
      assertStringIncludes(out, `${place.folder}/tmp/sotto-12345/runtime-`);
    });
  },
});

Deno.test({
  name: "launcher: a directory of someone else is refused",
  ignore: !ROOT,
  async fn() {
    await inPlace(async (place) => {
      const home = `${place.folder}/home`;
      await Deno.mkdir(`${home}/.cache/sotto`, { recursive: true });
      await Deno.chown(`${home}/.cache/sotto`, 12345, null);
      const { code, out, err } = await place.run({ HOME: home });
      assertEquals([code, out], [1, ""]);
      assertStringIncludes(
        err,
        "belongs to someone else\nhint: set SOTTO_HOME",
      );
      // The same for what someone else left ready in the temporary directory.
      const trap = `${place.folder}/tmp/sotto-0`;
      await Deno.mkdir(trap);
      await Deno.chown(trap, 12345, null);
      assertStringIncludes((await place.run({})).err, "someone else");
      await Deno.remove(trap);
      await Deno.symlink(home, trap);
      assertStringIncludes((await place.run({})).err, "cannot write to");
    });
  },
});

Deno.test("launcher: a directory that others can write to is refused", async () => {
  await inPlace(async (place) => {
    const HOME = `${place.folder}/home`;
    assertEquals((await place.run({ HOME })).code, 7);
    const cache = `${HOME}/.cache/sotto`;
    const [runtime] = await Array.fromAsync(Deno.readDir(cache));
    for (const path of [cache, `${cache}/${runtime!.name}`]) {
      for (const mode of [0o770, 0o707]) {
        await Deno.chmod(path, mode);
        const { code, err } = await place.run({ HOME });
        assertEquals(code, 1);
        assertStringIncludes(err, "others can write to");
      }
      await Deno.chmod(path, 0o700);
    }
    assertEquals((await place.run({ HOME })).code, 7);
  });
});

Deno.test("launcher: eight first runs at once all start", async () => {
  await inPlace(async (place) => {
    const HOME = `${place.folder}/home`;
    const runs = await Promise.all(
      Array.from({ length: 8 }, () => place.run({ HOME }, ["x"])),
    );
    for (const { code, err } of runs) assertEquals([code, err], [7, ""]);
    assertEquals(await filesUnder(HOME), [".complete", "deno", "sotto.js"]);
  });
});

Deno.test("launcher: a part that went missing is unpacked again", async () => {
  await inPlace(async (place) => {
    const HOME = `${place.folder}/home`;
    await place.run({ HOME });
    const cache = `${HOME}/.cache/sotto`;
    const [runtime] = await Array.fromAsync(Deno.readDir(cache));
    for (const name of ["deno", "sotto.js", ".complete"]) {
      await Deno.remove(`${cache}/${runtime!.name}/${name}`);
      assertEquals((await place.run({ HOME })).code, 7);
    }
  });
});

Deno.test("launcher: a damaged or shortened file says so and leaves nothing half done", async () => {
  const flipped = FILE.slice();
  flipped[flipped.length - 6]! ^= 1; // within the checksum of gzip
  for (const file of [flipped, FILE.slice(0, -40)]) {
    await inPlace(async (place) => {
      const HOME = `${place.folder}/home`;
      const { code, err } = await place.run({ HOME });
      assertEquals(code, 1);
      assert(/sotto: cannot start: .*(damaged|unpack)/.test(err), err);
      assertEquals(await filesUnder(HOME), []);
    }, file);
  }
});

Deno.test("launcher: it becomes the program, with its own process id", async () => {
  await inPlace(async (place) => {
    const child = new Deno.Command(`${place.folder}/sotto`, {
      env: { HOME: `${place.folder}/home`, PATH: "/usr/bin:/bin" },
      clearEnv: true,
      stdout: "piped",
    }).spawn();
    const out = new TextDecoder().decode((await child.output()).stdout);
    assertStringIncludes(out, `pid ${child.pid}\n`);
  });
});

Deno.test("launcher: another program is another version", async () => {
  const other = await singleFile(utf8("another program"), RUNTIME);
  const again = await singleFile(PROGRAM, RUNTIME);
  assertEquals(again, FILE);
  const id = (file: Bytes) =>
    /^id=([0-9a-f]{32})$/m.exec(new TextDecoder().decode(file))?.[1];
  assert(id(FILE) !== undefined && id(FILE) !== id(other));
});
