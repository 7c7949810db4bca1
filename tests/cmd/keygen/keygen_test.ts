import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { run, usage } from "../../../cmd/keygen.ts";
import { CommandError, describe, UsageError } from "../../../cmd/errors.ts";
import {
  createKeyFile,
  openAccountKeyring,
  openNodeKeyring,
} from "../../../cmd/key_file.ts";
import {
  formatFingerprint,
  parseCertificateText,
  sealKeyFile,
} from "../../../lib/identity/mod.ts";
import { testKeyring, testNodeKeyring } from "../../support/keyrings.ts";
import { hasOpenSsl, withOpenSsl } from "../../support/openssl.ts";
import type { TestIo, TestWorld } from "../../support/test_io.ts";
import { testIo } from "../../support/test_io.ts";

/** Runs `sotto keygen ARGS`, which must succeed, and gives what it printed. */
async function keygen(args: string[], world: TestWorld = {}): Promise<TestIo> {
  const io = testIo(world);
  assertEquals(await run(args, io), 0);
  return io;
}

async function fails(
  args: string[],
  says: string,
  world: TestWorld = {},
): Promise<CommandError> {
  const error = await assertRejects(() => run(args, testIo(world)));
  assert(error instanceof CommandError, describe(error));
  assertStringIncludes(describe(error), says);
  return error;
}

async function misused(args: string[], says: string): Promise<void> {
  const error = await assertRejects(() => run(args, testIo()), UsageError);
  assertStringIncludes(describe(error), says);
}

/** A directory with the key files `node.key` and `account.key`, both sealed by `secret`. */
async function withKeys(
  body: (at: (name: string) => string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const at = (name: string) => `${directory}/${name}`;
  const flags = { "passphrase-file": undefined, "secret-file": at("secret") };
  try {
    await createKeyFile(testIo(), flags, at("node.key"), async () => ({
      kind: "node",
      keyring: await testNodeKeyring(),
    }));
    await createKeyFile(testIo(), flags, at("account.key"), async () => ({
      kind: "account",
      keyring: await testKeyring("bot@zone"),
    }));
    await body(at);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("S1.1: keygen node makes a sealed key file that its owner alone can read", async () => {
  await withKeys(async (at) => {
    const passphrase = at("passphrase");
    await Deno.writeTextFile(passphrase, "correct horse\n");
    const flags = ["--passphrase-file", passphrase];
    const made = await keygen(["node", "--out", at("new.key"), ...flags]);
    assertMatch(made.out, /^kind +node\nmade +2026-01-01T00:00:00Z\n/);
    assertMatch(
      made.out,
      /\nprivate keys +yes\nfingerprint +([a-z2-7]{4} ){12}[a-z2-7]{4}\n$/,
    );
    if (Deno.build.os !== "windows") {
      assertEquals((await Deno.stat(at("new.key"))).mode! & 0o777, 0o600);
    }
    const shown = await keygen(["show", at("new.key"), ...flags]);
    assertEquals(shown.out, made.out);
    const keyring = await openNodeKeyring(
      testIo(),
      { "passphrase-file": passphrase, "secret-file": undefined },
      at("new.key"),
    );
    const { fingerprint } = keyring.certificate;
    assertStringIncludes(made.out, formatFingerprint(fingerprint));
  });
});

Deno.test("S1.1: keygen account asks for the passphrase twice, and for opening once", async () => {
  await withKeys(async (at) => {
    const path = at("new.key");
    const typed = {
      terminal: true,
      secrets: ["correct horse", "correct horse"],
    };
    const made = await keygen(
      ["account", "bot@zone", "--out", path, "--json"],
      typed,
    );
    const fields = JSON.parse(made.out);
    assertEquals(Object.keys(fields), [
      "kind",
      "address",
      "made",
      "certificateId",
      "hasPrivateKeys",
    ]);
    assertEquals(fields.address, "bot@zone");
    assertMatch(fields.certificateId, /^[a-z2-7]{52}$/);
    const once = { terminal: true, secrets: ["correct horse"] };
    const shown = await keygen(["show", path, "--json"], once);
    assertEquals(JSON.parse(shown.out), fields);
    const wrong = { terminal: true, secrets: ["correct mule"] };
    await fails(["show", path], "passphrase is wrong", wrong);
    await fails(["show", path], "no terminal");
  });
});

Deno.test("keygen: a secret file is made once and then used", async () => {
  await withKeys(async (at) => {
    const flags = ["--secret-file", at("new.secret")];
    await keygen(["node", "--out", at("1.key"), "--quiet", ...flags]);
    const secret = await Deno.readTextFile(at("new.secret"));
    await keygen(["node", "--out", at("2.key"), "--quiet", ...flags]);
    assertEquals(await Deno.readTextFile(at("new.secret")), secret);
    const [one, two] = [
      await keygen(["show", at("1.key"), ...flags]),
      await keygen(["show", at("2.key"), ...flags]),
    ];
    assert(one.out !== two.out);
    await fails(
      ["show", at("1.key"), "--secret-file", at("secret")],
      "secret is wrong",
    );
  });
});

Deno.test("keygen: nothing is ever overwritten", async () => {
  await withKeys(async (at) => {
    const before = await Deno.readTextFile(at("node.key"));
    const secret = ["--secret-file", at("secret")];
    const out = ["--out", at("node.key"), ...secret];
    await fails(["node", ...out], "exists already");
    await fails(["account", "a@b", ...out], "exists already");
    await fails(["certificate", at("account.key"), ...out], "exists already");
    const exported = ["export", at("account.key"), "--key", "signing", ...out];
    await fails(exported, "exists already");
    await fails([...exported, "--private"], "exists already");
    assertEquals(await Deno.readTextFile(at("node.key")), before);
  });
});

Deno.test("S1.1: keygen certificate writes what another machine shows alike", async () => {
  await withKeys(async (at) => {
    const secret = ["--secret-file", at("secret")];
    for (const kind of ["node", "account"]) {
      const cert = at(`${kind}.cert`);
      await keygen([
        "certificate",
        at(`${kind}.key`),
        "--out",
        cert,
        ...secret,
      ]);
      const printed = await keygen([
        "certificate",
        at(`${kind}.key`),
        ...secret,
      ]);
      assertEquals(printed.out, await Deno.readTextFile(cert));
      assertEquals((await parseCertificateText(printed.out)).kind, kind);
      // Without the secret, and although others can read it.
      await Deno.chmod(cert, 0o644);
      const theirs = JSON.parse((await keygen(["show", cert, "--json"])).out);
      const mine = await keygen([
        "show",
        at(`${kind}.key`),
        "--json",
        ...secret,
      ]);
      assertEquals({ ...theirs, hasPrivateKeys: true }, JSON.parse(mine.out));
      assertEquals(theirs.hasPrivateKeys, false);
    }
    const altered = (await Deno.readTextFile(at("node.cert")))
      .replace("\nAQ", "\nAw");
    await Deno.writeTextFile(at("node.cert"), altered);
    await fails(["show", at("node.cert")], "version 3");
  });
});

Deno.test("S1.1: keys go out and come in as PEM and JWK, and are the same keys", async () => {
  await withKeys(async (at) => {
    const secret = ["--secret-file", at("secret")];
    const uses = ["encryption", "signing", "agreement"];
    for (const format of ["pem", "jwk"]) {
      const paths = [];
      for (const use of uses) {
        const path = at(`${use}.${format}`);
        const flags = [
          "--key",
          use,
          "--format",
          format,
          "--private",
          ...secret,
        ];
        await keygen(["export", at("account.key"), ...flags, "--out", path]);
        if (Deno.build.os !== "windows") {
          assertEquals((await Deno.stat(path)).mode! & 0o777, 0o600);
        }
        const printed = await keygen(["export", at("account.key"), ...flags]);
        assertEquals(printed.out, await Deno.readTextFile(path));
        paths.push(path);
      }
      const path = at(`${format}.key`);
      const imported = ["import", "account", "bot@zone", ...paths];
      const flags = ["--out", path, "--format", format, ...secret];
      const made = await keygen([...imported, ...flags]);
      assertStringIncludes(made.out, "bot@zone");
      for (const use of uses) {
        const shown = ["--key", use, ...secret];
        assertEquals(
          (await keygen(["export", path, ...shown])).out,
          (await keygen(["export", at("account.key"), ...shown])).out,
        );
      }
    }
  });
});

Deno.test("keygen export: a public key comes from a certificate, a private one does not", async () => {
  await withKeys(async (at) => {
    const secret = ["--secret-file", at("secret")];
    await keygen([
      "certificate",
      at("node.key"),
      "--out",
      at("cert"),
      ...secret,
    ]);
    const flags = ["--key", "signing", "--format", "jwk"];
    const shown = await keygen(["export", at("cert"), ...flags]);
    const fromKey = await keygen([
      "export",
      at("node.key"),
      ...flags,
      ...secret,
    ]);
    assertEquals(shown.out, fromKey.out);
    assertEquals(JSON.parse(shown.out).d, undefined);
    await fails(["export", at("cert"), ...flags, "--private"], "holds none");
  });
});

Deno.test("S1.1: keygen import makes a node's keys of what openssl generated", {
  ignore: !hasOpenSsl,
}, async () => {
  await withKeys(async (at) => {
    await withOpenSsl(async (openssl) => {
      const bits = ["-quiet", "-pkeyopt", "rsa_keygen_bits:3072"];
      const algorithms = [["x25519"], ["rsa", ...bits], ["ed25519"]];
      const paths = [];
      for (const [name, ...more] of algorithms) {
        const made = ["genpkey", "-algorithm", name!, ...more];
        const path = await openssl.file(await openssl.text(...made));
        await Deno.chmod(path, 0o600);
        paths.push(path);
      }
      const secret = ["--secret-file", at("secret")];
      const out = ["--out", at("new.key"), ...secret];
      await keygen(["import", "node", ...paths, ...out]);
      const exported = ["export", at("new.key"), "--key", "signing", ...secret];
      assertEquals(
        (await keygen(exported)).out,
        await openssl.text("pkey", "-in", paths[2]!, "-pubout"),
      );
      const rest = ["--out", at("more.key"), ...secret];
      const two = ["import", "node", paths[0]!, paths[1]!, ...rest];
      await fails(two, "here are agreement, encryption");
      const twice = ["import", "node", ...paths, paths[0]!, ...rest];
      await fails(twice, "agreement, encryption, signing, agreement");
      await Deno.chmod(paths[0]!, 0o644);
      const open = await fails(["import", "node", ...paths, ...rest], "0644");
      assertStringIncludes(open.hint!, "chmod 600");
    });
  });
});

Deno.test("keygen: a key file that others can read, of another kind or none is refused", async () => {
  await withKeys(async (at) => {
    const flags = { "passphrase-file": undefined, "secret-file": at("secret") };
    const node = () => openNodeKeyring(testIo(), flags, at("account.key"));
    await assertRejects(node, CommandError, "not a node's");
    const account = () => openAccountKeyring(testIo(), flags, at("node.key"));
    await assertRejects(account, CommandError, "not an account's");
    const { certificate } = await openAccountKeyring(
      testIo(),
      flags,
      at("account.key"),
    );
    assertEquals(certificate.address, "bot@zone");

    const other = await sealKeyFile("other", new Uint8Array(1), {
      secret: new Uint8Array(32),
    });
    await Deno.writeTextFile(at("other.key"), other, { mode: 0o600 });
    await fails(["show", at("other.key")], "no keys of ours");
    await Deno.writeTextFile(at("text"), "text", { mode: 0o600 });
    await fails(["show", at("text")], "not JSON");
    await fails(["show", at("none")], "cannot read");
    if (Deno.build.os !== "windows") {
      await Deno.chmod(at("node.key"), 0o640);
      const open = await fails(["show", at("node.key")], "0640");
      assertStringIncludes(open.hint!, "chmod 600");
    }
  });
});

Deno.test("keygen: the wrong kind of protection is named before anything is asked", async () => {
  await withKeys(async (at) => {
    const bySecret = await fails(
      ["show", at("node.key")],
      "sealed by a secret",
    );
    assertStringIncludes(bySecret.hint!, "--secret-file");
    await Deno.writeTextFile(at("passphrase"), "correct horse");
    const flags = ["--passphrase-file", at("passphrase"), "--quiet"];
    await keygen(["node", "--out", at("new.key"), ...flags]);
    await fails(
      ["show", at("new.key"), "--secret-file", at("secret")],
      "sealed by a passphrase",
    );
  });
});

Deno.test("keygen: a short passphrase makes no file", async () => {
  await withKeys(async (at) => {
    await Deno.writeTextFile(at("passphrase"), "short");
    const flags = ["--passphrase-file", at("passphrase")];
    await fails(["node", "--out", at("new.key"), ...flags], "fewer than");
    await assertRejects(
      () => Deno.stat(at("new.key")),
      Deno.errors.NotFound,
    );
  });
});

Deno.test("keygen: used wrongly", async () => {
  await misused([], "a command is missing");
  await misused(["nodes"], "unknown command");
  await misused(["node"], "--out is missing");
  await misused(["node", "extra", "--out", "x"], "unexpected argument");
  await misused(["account", "--out", "x"], "an argument is missing");
  await misused(["account", "bot", "--out", "x"], "the zone");
  await misused(["account", "Bot@zone", "--out", "x"], "the name");
  await misused(["show"], "an argument is missing");
  await misused(["show", "a", "b"], "unexpected argument");
  await misused(["export", "x"], "--key is missing");
  await misused(["export", "x", "--key", "other"], "--key cannot be other");
  await misused(
    ["export", "x", "--key", "signing", "--format", "der"],
    "--format cannot be der",
  );
  await misused(["import", "x", "y", "--out", "z"], "cannot import a x");
  await misused(["import", "node", "--out", "z"], "an argument is missing");
  await misused(["import", "account", "a", "k", "--out", "z"], "the zone");
  await misused(
    [
      "node",
      "--out",
      "/nonexistent/x",
      "--passphrase-file",
      "a",
      "--secret-file",
      "b",
    ],
    "exclude each other",
  );
  await misused(["node", "--passphrase", "x"], "unknown flag");
});

Deno.test("keygen: help of the group and of every command, with examples", async () => {
  assertStringIncludes((await keygen(["--help"])).out, "Usage: sotto keygen");
  assertEquals((await keygen(["--help"])).out, usage);
  const names = ["node", "account", "show", "certificate", "export", "import"];
  for (const name of names) {
    const { out } = await keygen([name, "--help"]);
    assertStringIncludes(out, `Usage: sotto keygen ${name}`);
    assertMatch(out, /\nExamples?:\n/);
    assert(out.split("\n").every((line) => line.length <= 100), name);
    assertEquals((await keygen(["help", name])).out, out);
  }
});
