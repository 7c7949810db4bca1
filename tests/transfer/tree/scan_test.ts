import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { scan } from "../../../lib/transfer/tree/scan.ts";
import { ScanError } from "../../../lib/transfer/tree/scan_error.ts";
import { manifests } from "./arbitrary_tree.ts";
import { inTemp, makeTree } from "./disk_tree.ts";

Deno.test("scan S0.9: finds what is there, in the order of the manifest", async () => {
  await fc.assert(
    fc.asyncProperty(manifests(), (manifest) =>
      inTemp(async (directory) => {
        makeTree(directory, manifest.entries);
        const found = await scan([`${directory}/${manifest.name}`]);
        assertEquals(found.manifest, manifest);
        assertEquals(found.skipped, []);
        for (const [i, entry] of manifest.entries.entries()) {
          const source = found.sources[i];
          assertEquals(source !== undefined, entry.kind === "file");
          if (entry.kind !== "file") continue;
          assertEquals(source?.fingerprint.size, entry.size);
          assertEquals(
            source?.path,
            Deno.realPathSync(`${directory}/${entry.path}`),
          );
        }
      })),
    { numRuns: 30 },
  );
});

Deno.test("scan S0.9: what cannot be sent is left out, and said", () =>
  inTemp(async (directory) => {
    const t = `${directory}/t`;
    Deno.mkdirSync(`${t}/d`, { recursive: true });
    Deno.writeTextFileSync(`${t}/good`, "x");
    Deno.symlinkSync("/etc/passwd", `${t}/absolute`);
    Deno.symlinkSync("../../x", `${t}/d/out`);
    Deno.symlinkSync("good", `${t}/link`);
    Deno.symlinkSync("nowhere", `${t}/dangling`);
    Deno.writeTextFileSync(`${t}/a\nb`, "");
    Deno.writeTextFileSync(`${t}/back\\slash`, "");
    Deno.writeTextFileSync(`${t}/\u202egnp.exe`, "");
    using _socket = Deno.listen({ transport: "unix", path: `${t}/socket` });
    const mkfifo = await new Deno.Command("mkfifo", { args: [`${t}/pipe`] })
      .output();
    assertEquals(mkfifo.success, true);
    const bad = new Deno.Command("sh", {
      args: ["-c", `: > "$0/$(printf 'bad\\377utf8')"`, t],
    });
    assertEquals((await bad.output()).success, true);

    const { manifest, skipped } = await scan([t]);
    assertEquals(manifest.entries.map((each) => each.path), [
      ...["t", "t/d", "t/dangling", "t/good", "t/link"],
    ]);
    const deceive =
      "a name with characters that deceive or that a name cannot hold";
    const out = "a link that leads out of what is sent";
    assertEquals(skipped, [
      { path: "t/a\nb", why: deceive },
      { path: "t/absolute", why: out },
      { path: "t/back\\slash", why: deceive },
      { path: "t/bad\ufffdutf8", why: deceive },
      { path: "t/d/out", why: out },
      { path: "t/pipe", why: "a named pipe" },
      { path: "t/socket", why: "a socket" },
      { path: "t/\u202egnp.exe", why: deceive },
    ]);
  }));

Deno.test("scan S0.9: links beneath are never followed, one that is named is", () =>
  inTemp(async (directory) => {
    Deno.mkdirSync(`${directory}/real/sub`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/real/sub/f`, "x");
    Deno.symlinkSync("sub", `${directory}/real/loop`);
    Deno.symlinkSync(".", `${directory}/real/self`);
    Deno.symlinkSync("real", `${directory}/named`);
    const { manifest } = await scan([`${directory}/named`]);
    assertEquals(manifest.name, "named");
    assertEquals(
      manifest.entries.map((each) => `${each.kind} ${each.path}`),
      [
        "directory named",
        "link named/loop",
        "link named/self",
        "directory named/sub",
        "file named/sub/f",
      ],
    );
    Deno.symlinkSync("real/sub/f", `${directory}/file`);
    const one = await scan([`${directory}/file`]);
    assertEquals(one.manifest.entries.map((each) => each.path), ["file"]);
    assertEquals(one.manifest.entries[0]!.kind, "file");
  }));

Deno.test("scan S0.9: names at the top", () =>
  inTemp(async (directory) => {
    Deno.mkdirSync(`${directory}/x/y`, { recursive: true });
    Deno.writeTextFileSync(`${directory}/f`, "");
    for (
      const [path, name] of [
        [`${directory}/x`, "x"],
        [`${directory}/x/`, "x"],
        [`${directory}/x//`, "x"],
        [`${directory}/x/.`, "x"],
        [`${directory}/x/y/..`, "x"],
        [`${directory}/x/../f`, "f"],
      ] as const
    ) {
      const { manifest } = await scan([path]);
      assertEquals(manifest.name, name, path);
      assertEquals(manifest.entries[0]!.path, name);
    }
    const { manifest } = await scan([`${directory}/x`, `${directory}/f`]);
    assertEquals(manifest.name, "2 files");
    assertEquals(manifest.entries.map((each) => each.path), ["f", "x", "x/y"]);
  }));

Deno.test("scan S0.9: what is named and cannot be offered is an error", () =>
  inTemp(async (directory) => {
    Deno.mkdirSync(`${directory}/a`);
    Deno.writeTextFileSync(`${directory}/a/f`, "");
    Deno.writeTextFileSync(`${directory}/f`, "");
    Deno.writeTextFileSync(`${directory}/\x1b[2J`, "");
    Deno.symlinkSync("nowhere", `${directory}/dangling`);
    using _socket = Deno.listen({
      transport: "unix",
      path: `${directory}/socket`,
    });
    for (
      const [paths, seen] of [
        [[], "nothing is named"],
        [[`${directory}/none`], "No such file"],
        [[`${directory}/dangling`], "No such file"],
        [[`${directory}/none/.`], "cannot be found"],
        [[`${directory}/socket`], "it is a socket"],
        [[`${directory}/\x1b[2J`], "characters"],
        [[`${directory}/f`, `${directory}/a/f`], "both are called f"],
        [[`${directory}/f`, `${directory}/f`], "both are called f"],
        [["/"], "it has"],
      ] as const
    ) {
      await assertRejects(() => scan(paths), ScanError, seen, seen);
    }
  }));

Deno.test({
  name: "scan S0.9: what may not be read is left out beneath, an error above",
  // Nothing is forbidden to root.
  ignore: Deno.uid() === 0,
  fn: () =>
    inTemp(async (directory) => {
      const t = `${directory}/t`;
      Deno.mkdirSync(`${t}/closed`, { recursive: true });
      Deno.writeTextFileSync(`${t}/secret`, "");
      Deno.chmodSync(`${t}/secret`, 0);
      Deno.chmodSync(`${t}/closed`, 0);
      const { manifest, skipped } = await scan([t]);
      await assertRejects(() => scan([`${t}/secret`]), ScanError);
      await assertRejects(() => scan([`${t}/closed`]), ScanError);
      Deno.chmodSync(`${t}/closed`, 0o700);
      assertEquals(manifest.entries.map((each) => each.path), [
        "t",
        "t/closed",
      ]);
      assertEquals(skipped, [
        {
          path: "t/closed",
          why: "a directory that cannot be read (EACCES)",
        },
        { path: "t/secret", why: "a file that cannot be read (EACCES)" },
      ]);
    }),
});

Deno.test("scan: times before 1970 are kept as 1970", () =>
  inTemp(async (directory) => {
    Deno.writeTextFileSync(`${directory}/old`, "");
    Deno.utimeSync(`${directory}/old`, -1000, -1000);
    const { manifest } = await scan([`${directory}/old`]);
    assertEquals(manifest.entries[0]!.modified, 0);
  }));
