import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  createPrivateFile,
  readPrivateFile,
  UnsafeFileError,
  writePrivateFile,
} from "../../lib/identity/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";

const unixOnly = { ignore: Deno.build.os === "windows" };

async function inDirectory(
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function modeOf(path: string): Promise<number> {
  return (await Deno.stat(path)).mode! & 0o777;
}

Deno.test(
  "private file: what is written reads back and is the owner's alone",
  unixOnly,
  async () => {
    await inDirectory(async (directory) => {
      for (const write of [writePrivateFile, createPrivateFile]) {
        const path = `${directory}/${write.name}/deep/key`;
        await write(path, "text\n");
        assertEquals(await readPrivateFile(path), "text\n");
        assertEquals(await modeOf(path), 0o600);
        assertEquals(await modeOf(`${directory}/${write.name}`), 0o700);
        assertEquals(await modeOf(`${directory}/${write.name}/deep`), 0o700);
      }
    });
  },
);

Deno.test(
  "private file: replacing leaves the new text, private, and nothing beside it",
  unixOnly,
  async () => {
    await inDirectory(async (directory) => {
      const path = `${directory}/key`;
      await Deno.writeTextFile(path, "a much longer old text", { mode: 0o644 });
      await writePrivateFile(path, "new");
      assertEquals(await readPrivateFile(path), "new");
      const names = await Array.fromAsync(Deno.readDir(directory));
      assertEquals(names.map((entry) => entry.name), ["key"]);
    });
  },
);

Deno.test("private file: creating never writes over a file", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/key`;
    await createPrivateFile(path, "old");
    await assertRejects(
      () => createPrivateFile(path, "new"),
      Deno.errors.AlreadyExists,
    );
    assertEquals(await readPrivateFile(path), "old");
  });
});

Deno.test("private file: when it cannot be put in place, nothing is left behind", async () => {
  await inDirectory(async (directory) => {
    await Deno.mkdir(`${directory}/key/inside`, { recursive: true });
    await assertRejects(() => writePrivateFile(`${directory}/key`, "text"));
    const names = await Array.fromAsync(Deno.readDir(directory));
    assertEquals(names.map((entry) => entry.name), ["key"]);
  });
});

Deno.test("private file: a name without a directory is one in the current directory", async () => {
  const path = `private-${crypto.randomUUID()}.key`;
  try {
    await writePrivateFile(path, "text");
    assertEquals(await readPrivateFile(path), "text");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test(
  "private file: one that group or others can touch is refused",
  unixOnly,
  async () => {
    await inDirectory(async (directory) => {
      const path = `${directory}/key`;
      await writePrivateFile(path, "text");
      for (const bit of [0o040, 0o020, 0o010, 0o004, 0o002, 0o001]) {
        await Deno.chmod(path, 0o600 | bit);
        const error = await assertRejects(
          () => readPrivateFile(path),
          UnsafeFileError,
          path,
        );
        assert(error.message.includes((0o600 | bit).toString(8)));
      }
      await Deno.chmod(path, 0o400);
      assertEquals(await readPrivateFile(path), "text");
    });
  },
);

Deno.test("private file: what is no text, too long or absent", async () => {
  await inDirectory(async (directory) => {
    const path = `${directory}/key`;
    await Deno.writeFile(path, new Uint8Array([0xff]), { mode: 0o600 });
    await assertRejects(() => readPrivateFile(path), MalformedError, "text");
    await Deno.truncate(path, 4_194_305);
    await assertRejects(() => readPrivateFile(path), MalformedError, "longer");
    await assertRejects(
      () => readPrivateFile(`${directory}/none`),
      Deno.errors.NotFound,
    );
  });
});
