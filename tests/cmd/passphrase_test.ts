import { assert, assertEquals, assertRejects } from "@std/assert";
import { CommandError } from "../../cmd/errors.ts";
import { PASSPHRASE_FILE_LIMIT, readPassphrase } from "../../cmd/passphrase.ts";
import type { TestWorld } from "../support/test_io.ts";
import { testIo } from "../support/test_io.ts";

async function ask(
  world: TestWorld,
  request: { file?: string; fresh?: boolean } = {},
): Promise<string> {
  return await readPassphrase(testIo(world), {
    file: request.file,
    label: "Passphrase",
    fresh: request.fresh ?? false,
  });
}

async function withFile(
  content: string | Uint8Array,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
    await body(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("S0.3: with neither file nor terminal it fails at once, with a hint", async () => {
  const error = await assertRejects(() => ask({ stdin: "x\n" }), CommandError);
  assert(error.hint?.includes("--passphrase-file"));
});

Deno.test("S0.3: the flag goes before the environment, the file before the prompt", async () => {
  await withFile("from the flag\n", async (flag) => {
    await withFile("from the environment\n", async (env) => {
      const world = {
        terminal: true,
        secrets: ["typed"],
        env: { SOTTO_PASSPHRASE_FILE: env },
      };
      assertEquals(await ask(world, { file: flag }), "from the flag");
      assertEquals(await ask(world), "from the environment");
      assertEquals(await ask({ terminal: true, secrets: ["typed"] }), "typed");
    });
  });
});

Deno.test("passphrase: - reads the first line of standard input", async () => {
  const io = testIo({ stdin: "first line\nthe message\n" });
  const request = { file: "-", label: "P", fresh: false };
  assertEquals(await readPassphrase(io, request), "first line");
  assertEquals(await io.readLine(), "the message");
});

const FILES: readonly (readonly [string, string])[] = [
  ["no line break", "no line break"],
  ["one break\n", "one break"],
  ["windows\r\n", "windows"],
  ["two breaks\n\n", "two breaks\n"],
  [" spaces count ", " spaces count "],
  ["cafe\u0301", "caf\u00e9"],
];

for (const [content, expected] of FILES) {
  Deno.test(`passphrase: the file ${JSON.stringify(content)}`, async () => {
    await withFile(content, async (file) => {
      assertEquals(await ask({}, { file }), expected);
    });
  });
}

Deno.test("passphrase: a file that is empty, too long, binary or absent is refused", async () => {
  for (
    const content of [
      "",
      "\n",
      "x".repeat(PASSPHRASE_FILE_LIMIT + 1),
      new Uint8Array([0xff, 0xfe, 0x41]),
    ]
  ) {
    await withFile(content, async (file) => {
      await assertRejects(() => ask({}, { file }), CommandError);
    });
  }
  await assertRejects(() => ask({}, { file: "/nonexistent" }), CommandError);
  await withFile("x".repeat(PASSPHRASE_FILE_LIMIT), async (file) => {
    assertEquals((await ask({}, { file })).length, PASSPHRASE_FILE_LIMIT);
  });
});

Deno.test("passphrase: a fresh one is asked twice, and both must agree", async () => {
  const good = { terminal: true, secrets: ["correct horse", "correct horse"] };
  assertEquals(await ask(good, { fresh: true }), "correct horse");
  const bad = { terminal: true, secrets: ["correct horse", "correct house"] };
  await assertRejects(() => ask(bad, { fresh: true }), CommandError, "differ");
});

Deno.test("passphrase: a fresh one of seven characters is refused, an old one is not", async () => {
  const short = { terminal: true, secrets: ["1234567"] };
  const error = await assertRejects(
    () => ask(short, { fresh: true }),
    CommandError,
    "fewer than 8",
  );
  assert(error.hint !== undefined && !error.message.includes("1234567"));
  assertEquals(await ask(short), "1234567");
  const eight = { terminal: true, secrets: ["1234567ü", "1234567ü"] };
  assertEquals(await ask(eight, { fresh: true }), "1234567ü");
});
