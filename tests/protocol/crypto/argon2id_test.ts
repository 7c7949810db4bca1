import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import { argon2id } from "../../../lib/protocol/crypto/argon2id.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";

const SMALL = { memoryKiB: 64, passes: 1 };
const PASSWORD = utf8("password");
const SALT = utf8("somesalt");

// RFC 9106 §5.3 has a case with four lanes, a secret and associated data, which our wrapper does not
// offer; it is put to the platform as it is.
Deno.test("Argon2id: the platform reproduces RFC 9106 §5.3", async () => {
  const key = await crypto.subtle.importKey(
    "raw-secret",
    new Uint8Array(32).fill(1),
    { name: "Argon2id" },
    false,
    ["deriveBits"],
  );
  const parameters = {
    name: "Argon2id" as const,
    nonce: new Uint8Array(16).fill(2),
    memory: 32,
    passes: 3,
    parallelism: 4,
    secretValue: new Uint8Array(8).fill(3),
    associatedData: new Uint8Array(12).fill(4),
  };
  const tag = new Uint8Array(
    await crypto.subtle.deriveBits(parameters, key, 256),
  );
  assertEquals(
    tag.toHex(),
    "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659",
  );
});

// With one lane: the reference implementation's own cases (P-H-C/phc-winner-argon2, src/test.c,
// Argon2id, version 0x13).
for (
  const [memoryKiB, expected] of [
    [256, "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"],
    [
      65_536,
      "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7",
    ],
  ] as const
) {
  Deno.test(`Argon2id: the reference implementation's case of ${memoryKiB} KiB and 2 passes`, async () => {
    const cost = { memoryKiB, passes: 2 };
    const output = await argon2id(PASSWORD, SALT, cost, 32);
    assertEquals(output.toHex(), expected);
  });
}

Deno.test("Argon2id: password, salt, memory and passes each matter, and any length can be asked for", async () => {
  const output = await argon2id(PASSWORD, SALT, SMALL, 32);
  assertEquals(await argon2id(PASSWORD, SALT, SMALL, 32), output);
  for (
    const other of [
      argon2id(utf8("passworD"), SALT, SMALL, 32),
      argon2id(PASSWORD, utf8("somesalT"), SMALL, 32),
      argon2id(PASSWORD, SALT, { ...SMALL, memoryKiB: 72 }, 32),
      argon2id(PASSWORD, SALT, { ...SMALL, passes: 2 }, 32),
    ]
  ) assertNotEquals(await other, output);
  assertEquals((await argon2id(PASSWORD, SALT, SMALL, 64)).length, 64);
  assertEquals((await argon2id(utf8(""), SALT, SMALL, 16)).length, 16);
});

Deno.test("Argon2id: parameters that RFC 9106 §3.1 forbids are refused", async () => {
  const refused = [
    () => argon2id(PASSWORD, utf8("7 bytes"), SMALL, 32),
    () => argon2id(PASSWORD, SALT, { memoryKiB: 7, passes: 1 }, 32),
    () => argon2id(PASSWORD, SALT, { memoryKiB: 64, passes: 0 }, 32),
    () => argon2id(PASSWORD, SALT, SMALL, 3),
  ];
  for (const each of refused) await assertRejects(each, CryptoError);
});
