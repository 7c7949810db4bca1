import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import type { WrapBinding } from "../../lib/identity/mod.ts";
import {
  checkCost,
  DEFAULT_COST,
  ExcessiveCostError,
  MAXIMUM_COST,
  MINIMUM_COST,
  stretch,
  unwrapKeyring,
  WeakCostError,
  wrapKeyring,
  WrongPassphraseError,
} from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  argon2id,
  hkdfSha256,
  importAead,
  MalformedError,
  randomBytes,
  utf8,
} from "../../lib/protocol/mod.ts";

const SALT = Uint8Array.fromHex("000102030405060708090a0b0c0d0e0f");

const BINDING: WrapBinding = {
  address: "alice@zone",
  certificateId: new Uint8Array(32).fill(7),
  salt: SALT,
  cost: MINIMUM_COST,
};

function freshKey(): Promise<CryptoKey> {
  return importAead(randomBytes(32));
}

Deno.test("S3.2: auth and wrap come from one passphrase and differ in their label only", async () => {
  const { auth, wrapKey } = await stretch("correct horse", SALT, MINIMUM_COST);
  const master = await argon2id(
    utf8("correct horse"),
    SALT,
    { memoryKiB: 19_456, passes: 2 },
    32,
  );
  const derive = (label: string) =>
    hkdfSha256(master, new Uint8Array(0), utf8(label), 32);
  assertEquals(auth, await derive("sotto passphrase auth v1"));
  const wrap = await derive("sotto passphrase wrap v1");
  assertNotEquals(auth, wrap);
  const message = utf8("a keyring");
  const wrapped = await wrapKeyring(message, wrapKey, BINDING);
  const opened = await unwrapKeyring(wrapped, await importAead(wrap), BINDING);
  assertEquals(opened, message);
});

Deno.test("S3.2: passphrase, salt and each part of the cost change what comes out", async () => {
  const outputs = new Set<string>();
  const inputs = [
    ["correct horse", SALT, MINIMUM_COST],
    ["Correct horse", SALT, MINIMUM_COST],
    ["correct horse", SALT.slice().fill(1, 15), MINIMUM_COST],
    ["correct horse", SALT, { memoryKiB: 19_457, passes: 2 }],
    ["correct horse", SALT, { memoryKiB: 19_456, passes: 3 }],
  ] as const;
  for (const [passphrase, salt, cost] of inputs) {
    outputs.add((await stretch(passphrase, salt, cost)).auth.toHex());
  }
  assertEquals(outputs.size, inputs.length);
});

Deno.test("S3.2: the same letters composed by another keyboard are the same passphrase", async () => {
  const composed = await stretch("caf\u00e9", SALT, MINIMUM_COST);
  const decomposed = await stretch("cafe\u0301", SALT, MINIMUM_COST);
  assertEquals(composed.auth, decomposed.auth);
});

Deno.test("S3.2: downgraded Argon2 parameters are refused", async () => {
  const weak = [
    { memoryKiB: 19_455, passes: 2 },
    { memoryKiB: 19_456, passes: 1 },
    { memoryKiB: 8, passes: 1 },
    { memoryKiB: 0, passes: 0 },
    { memoryKiB: -1, passes: 3 },
    { memoryKiB: NaN, passes: 3 },
    { memoryKiB: 65_536.5, passes: 3 },
  ];
  for (const cost of weak) {
    await assertRejects(() => stretch("p", SALT, cost), WeakCostError);
  }
});

Deno.test("S3.2: parameters that would exhaust the machine are refused", async () => {
  const excessive = [
    { memoryKiB: 1_048_577, passes: 3 },
    { memoryKiB: 65_536, passes: 17 },
    { memoryKiB: 0xffffffff, passes: 0xffffffff },
  ];
  for (const cost of excessive) {
    await assertRejects(() => stretch("p", SALT, cost), ExcessiveCostError);
  }
  for (const cost of [MINIMUM_COST, DEFAULT_COST, MAXIMUM_COST]) {
    checkCost(cost);
  }
});

Deno.test("wrapping: no empty passphrase, no salt of another length", async () => {
  await assertRejects(() => stretch("", SALT, MINIMUM_COST), MalformedError);
  for (const length of [0, 15, 17]) {
    await assertRejects(
      () => stretch("p", new Uint8Array(length), MINIMUM_COST),
      MalformedError,
    );
  }
});

Deno.test("S3.3: a wrapped keyring opens under its own binding only", async () => {
  const key = await freshKey();
  const message = utf8("a keyring");
  const wrapped = await wrapKeyring(message, key, BINDING);
  assertEquals(await unwrapKeyring(wrapped, key, BINDING), message);
  const others: Partial<WrapBinding>[] = [
    { address: "mallory@zone" },
    { certificateId: new Uint8Array(32).fill(8) },
    { salt: SALT.slice().fill(0, 1) },
    { cost: { memoryKiB: 19_457, passes: 2 } },
    { cost: { memoryKiB: 19_456, passes: 3 } },
  ];
  for (const other of others) {
    await assertRejects(
      () => unwrapKeyring(wrapped, key, { ...BINDING, ...other }),
      WrongPassphraseError,
    );
  }
  await assertRejects(
    async () => await unwrapKeyring(wrapped, await freshKey(), BINDING),
    WrongPassphraseError,
  );
});

Deno.test("S3.3: the same keyring is never wrapped into the same bytes twice", async () => {
  const key = await freshKey();
  const one = await wrapKeyring(utf8("a keyring"), key, BINDING);
  const other = await wrapKeyring(utf8("a keyring"), key, BINDING);
  assertNotEquals(one.slice(1, 13), other.slice(1, 13));
  assertEquals(one.length, 1 + 12 + 9 + 16);
});

Deno.test("wrapping: cut at every byte, lengthened, with every bit flipped", async () => {
  const key = await freshKey();
  const wrapped = await wrapKeyring(utf8("a keyring"), key, BINDING);
  const refused = async (bytes: Bytes) => {
    const error = await assertRejects(() => unwrapKeyring(bytes, key, BINDING));
    assert(
      error instanceof MalformedError || error instanceof WrongPassphraseError,
    );
  };
  for (let length = 0; length < wrapped.length; length++) {
    await refused(wrapped.slice(0, length));
  }
  await refused(new Uint8Array([...wrapped, 0]));
  await refused(new Uint8Array(8193).fill(1));
  for (let bit = 0; bit < wrapped.length * 8; bit++) {
    const flipped = wrapped.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    await refused(flipped);
  }
});
