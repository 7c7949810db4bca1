import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import fc from "fast-check";
import {
  describeKeyFile,
  ExcessiveCostError,
  formatSecret,
  generateSecret,
  MINIMUM_COST,
  openKeyFile,
  parseSecret,
  ProtectionMismatchError,
  sealKeyFile,
  WeakCostError,
  WrongPassphraseError,
} from "../../lib/identity/mod.ts";
import { MalformedError, utf8 } from "../../lib/protocol/mod.ts";

const BY_PASSPHRASE = { passphrase: "correct horse", cost: MINIMUM_COST };
const BY_SECRET = { secret: new Uint8Array(32).fill(5) };
const INSIDE = utf8("what is inside");

Deno.test("S1.1: a key file opens by what it was sealed with", async () => {
  for (const protection of [BY_PASSPHRASE, BY_SECRET]) {
    const text = await sealKeyFile("node", INSIDE, protection);
    assertEquals(await openKeyFile(text, "node", protection), INSIDE);
  }
});

Deno.test("key file: it says what it is and what it needs, and nothing of what is inside", async () => {
  const text = await sealKeyFile("account", INSIDE, BY_PASSPHRASE);
  assertEquals(describeKeyFile(text), { kind: "account", needs: "passphrase" });
  assertStringIncludes(text, '"memoryKiB": 19456');
  const other = await sealKeyFile("node", INSIDE, BY_SECRET);
  assertEquals(describeKeyFile(other), { kind: "node", needs: "secret" });
  for (const each of [text, other]) {
    assert(!each.includes(INSIDE.toBase64().slice(0, 8)));
    assert(!each.includes("correct horse"));
    assert(!each.includes(BY_SECRET.secret.toBase64()));
  }
});

Deno.test("key file: without a cost the default one stands in it", async () => {
  const text = await sealKeyFile("node", INSIDE, { passphrase: "p" });
  assertStringIncludes(text, '"memoryKiB": 65536');
  assertStringIncludes(text, '"passes": 3');
  assertEquals(await openKeyFile(text, "node", { passphrase: "p" }), INSIDE);
});

Deno.test("key file: wrong passphrase, wrong secret, wrong way", async () => {
  const byPassphrase = await sealKeyFile("node", INSIDE, BY_PASSPHRASE);
  const bySecret = await sealKeyFile("node", INSIDE, BY_SECRET);
  await assertRejects(
    () => openKeyFile(byPassphrase, "node", { passphrase: "correct hors" }),
    WrongPassphraseError,
    "passphrase is wrong",
  );
  await assertRejects(
    () => openKeyFile(bySecret, "node", { secret: generateSecret() }),
    WrongPassphraseError,
    "secret is wrong",
  );
  await assertRejects(
    () => openKeyFile(byPassphrase, "node", BY_SECRET),
    ProtectionMismatchError,
  );
  await assertRejects(
    () => openKeyFile(bySecret, "node", BY_PASSPHRASE),
    ProtectionMismatchError,
  );
});

Deno.test("key file: one kind never opens as another, even when relabelled", async () => {
  const text = await sealKeyFile("node", INSIDE, BY_SECRET);
  await assertRejects(
    () => openKeyFile(text, "account", BY_SECRET),
    MalformedError,
    "of kind node, not account",
  );
  const relabelled = text.replace('"node"', '"account"');
  await assertRejects(
    () => openKeyFile(relabelled, "account", BY_SECRET),
    WrongPassphraseError,
  );
});

Deno.test("key file: weak or excessive parameters are refused on both sides", async () => {
  const cost = { memoryKiB: 1024, passes: 1 };
  await assertRejects(
    () => sealKeyFile("node", INSIDE, { passphrase: "p", cost }),
    WeakCostError,
  );
  const text = await sealKeyFile("node", INSIDE, BY_PASSPHRASE);
  const refused = async (from: string, to: string, error: new () => Error) => {
    const changed = text.replace(from, to);
    assertNotEquals(changed, text);
    await assertRejects(
      () => openKeyFile(changed, "node", BY_PASSPHRASE),
      error,
    );
  };
  await refused('"memoryKiB": 19456', '"memoryKiB": 19455', WeakCostError);
  await refused('"passes": 2', '"passes": 1', WeakCostError);
  await refused('"passes": 2', '"passes": 999', ExcessiveCostError);
  // Within the limits, but not what it was sealed with.
  await refused('"passes": 2', '"passes": 3', WrongPassphraseError);
  await refused('"passes": 2', '"passes": 2.5', MalformedError);
  await refused('"passes": 2', '"passes": "2"', MalformedError);
  await refused('"passes": 2', '"passes": 4294967298', MalformedError);
});

Deno.test("key file: a changed byte of salt, nonce or ciphertext does not open", async () => {
  const text = await sealKeyFile("node", INSIDE, BY_SECRET);
  const fields = JSON.parse(text);
  for (const name of ["salt", "nonce", "sealed"]) {
    const bytes = Uint8Array.fromBase64(fields[name]);
    for (let place = 0; place < bytes.length; place++) {
      const changed = bytes.slice();
      changed[place]! ^= 1 << (place & 7);
      const altered = { ...fields, [name]: changed.toBase64() };
      await assertRejects(
        () => openKeyFile(JSON.stringify(altered), "node", BY_SECRET),
        WrongPassphraseError,
      );
    }
  }
});

Deno.test("key file: missing, unknown and mistyped fields, and every cut", async () => {
  const text = await sealKeyFile("node", INSIDE, BY_SECRET);
  const fields = JSON.parse(text);
  const refused = (altered: unknown) =>
    assertThrows(
      () => describeKeyFile(JSON.stringify(altered)),
      MalformedError,
    );
  for (const name of Object.keys(fields)) {
    const { [name]: _, ...rest } = fields;
    refused(rest);
    for (const value of [null, 0, "", "!", [], {}, true]) {
      refused({ ...fields, [name]: value });
    }
  }
  refused({ ...fields, more: 1 });
  refused({ ...fields, version: 2 });
  refused({ ...fields, memoryKiB: 65536, passes: 3 });
  refused({ ...fields, kind: "a".repeat(33) });
  refused({ ...fields, nonce: fields.nonce.replace(/=*$/, "") + "AA" });
  for (const value of [null, [], "text", 1]) refused(value);
  assertThrows(() => describeKeyFile(" ".repeat(1_048_577)), MalformedError);
  for (let length = 0; length < text.length - 1; length++) {
    assertThrows(() => describeKeyFile(text.slice(0, length)), MalformedError);
  }
});

Deno.test("key file: kinds that are none cannot be made", async () => {
  for (const kind of ["", "Node", "a b", "-a", "a".repeat(33), "a1"]) {
    await assertRejects(
      () => sealKeyFile(kind, INSIDE, BY_SECRET),
      MalformedError,
    );
  }
});

Deno.test("key file: whatever is put in comes out", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (bytes) => {
      const text = await sealKeyFile("x", new Uint8Array(bytes), BY_SECRET);
      assertEquals(
        await openKeyFile(text, "x", BY_SECRET),
        new Uint8Array(bytes),
      );
    }),
    { numRuns: 30 },
  );
});

Deno.test("key file: the text of a secret reads back; anything else is refused without being quoted", () => {
  const secret = generateSecret();
  const text = formatSecret(secret);
  assertEquals(parseSecret(text), secret);
  assertEquals(parseSecret(`  ${text}\n`), secret);
  const wrong = [
    "",
    "\n",
    text.slice(4),
    text + "AAAA",
    secret.toHex() + "!",
    text.replace("=", ""),
    new Uint8Array(31).toBase64(),
    new Uint8Array(33).toBase64(),
  ];
  for (const each of wrong) {
    const error = assertThrows(() => parseSecret(each), MalformedError);
    assert(each.length < 8 || !String(error.cause).includes(each));
    assert(each.length < 8 || !error.message.includes(each));
  }
});

Deno.test("key file: a secret of another length is refused", async () => {
  for (const length of [0, 31, 33]) {
    await assertRejects(
      () => sealKeyFile("node", INSIDE, { secret: new Uint8Array(length) }),
      MalformedError,
    );
  }
});
