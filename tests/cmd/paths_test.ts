import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CommandError, UsageError } from "../../cmd/errors.ts";
import { privateDirectory, profilePath, sottoPaths } from "../../cmd/paths.ts";
import { testIo } from "../support/test_io.ts";

Deno.test("paths: the defaults lie under HOME", () => {
  assertEquals(sottoPaths(testIo({ env: { HOME: "/home/a" } })), {
    config: "/home/a/.config/sotto",
    data: "/home/a/.local/share/sotto",
    state: "/home/a/.local/state/sotto",
    cache: "/home/a/.cache/sotto",
    runtime: "/home/a/.local/state/sotto/run",
  });
});

Deno.test("paths: XDG variables count, relative ones do not", () => {
  const env = {
    HOME: "/h/",
    XDG_CONFIG_HOME: "/c/",
    XDG_DATA_HOME: "relative",
    XDG_STATE_HOME: "",
    XDG_RUNTIME_DIR: "/run/user/1",
  };
  const paths = sottoPaths(testIo({ env }));
  assertEquals(paths.config, "/c/sotto");
  assertEquals(paths.data, "/h/.local/share/sotto");
  assertEquals(paths.state, "/h/.local/state/sotto");
  assertEquals(paths.runtime, "/run/user/1/sotto");
});

Deno.test("paths: SOTTO_HOME holds everything", () => {
  const io = testIo({ env: { SOTTO_HOME: "/s", XDG_DATA_HOME: "/d" } });
  assertEquals(Object.values(sottoPaths(io)), [
    "/s/config",
    "/s/data",
    "/s/state",
    "/s/cache",
    "/s/run",
  ]);
  const relative = testIo({ env: { SOTTO_HOME: "s" } });
  assertThrows(() => sottoPaths(relative), CommandError, "absolute");
});

Deno.test("paths: without HOME the person is told what to set", () => {
  const error = assertThrows(() => sottoPaths(testIo()), CommandError);
  assert(error.hint?.includes("SOTTO_HOME"));
});

const HOME = { HOME: "/h" };

for (
  const name of ["a", "alice", "alice@zone.example", "A-b_c.9", "x".repeat(64)]
) {
  Deno.test(`paths: profile ${name} is allowed`, () => {
    const path = profilePath(testIo({ env: HOME }), name);
    assertEquals(path, `/h/.local/share/sotto/profiles/${name}`);
  });
}

for (
  const name of [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    ".hidden",
    "a.",
    "-x",
    "a b",
    "ä",
    "a\0",
    "a\n",
    "x".repeat(65),
  ]
) {
  Deno.test(`paths: profile ${JSON.stringify(name)} is refused`, () => {
    assertThrows(() => profilePath(testIo({ env: HOME }), name), UsageError);
  });
}

Deno.test("paths: the profile comes from the flag, the environment, or is the default", () => {
  const io = testIo({ env: { ...HOME, SOTTO_PROFILE: "bob" } });
  assert(profilePath(io, "carol").endsWith("/carol"));
  assert(profilePath(io, undefined).endsWith("/bob"));
  assert(profilePath(testIo({ env: HOME }), undefined).endsWith("/default"));
});

Deno.test("paths: a private directory is made for its owner only", async () => {
  const root = await Deno.makeTempDir();
  try {
    const path = await privateDirectory(`${root}/a/b`);
    for (const each of [`${root}/a`, path]) {
      assertEquals((await Deno.stat(each)).mode! & 0o777, 0o700);
    }
    assertEquals(await privateDirectory(path), path);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("paths: a directory that others can write to is refused, and so is a file", async () => {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${root}/open`);
    await Deno.chmod(`${root}/open`, 0o770);
    await assertRejects(
      () => privateDirectory(`${root}/open`),
      CommandError,
      "others can write",
    );
    await Deno.writeTextFile(`${root}/file`, "");
    await assertRejects(() => privateDirectory(`${root}/file`), CommandError);
    await assertRejects(() => privateDirectory(`${root}/file/x`), CommandError);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test({
  name: "paths: a directory of someone else is refused",
  ignore: Deno.uid() !== 0,
  async fn() {
    const path = await Deno.makeTempDir();
    try {
      await Deno.chown(path, 12345, null);
      await assertRejects(
        () => privateDirectory(path),
        CommandError,
        "someone else",
      );
    } finally {
      await Deno.remove(path);
    }
  },
});
