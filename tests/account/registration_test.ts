import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccountError, inviteHash } from "../../lib/account/mod.ts";
import type { RegistrationRules } from "../../lib/account/mod.ts";
import {
  ACCOUNT,
  CERTIFICATE,
  KDF_MEMORY,
  KDF_PASSES,
  KDF_SALT,
  REGISTER,
  SIGNATURE,
  USERNAME,
  WRAPPED_KEYS,
} from "../../lib/account/commands.ts";
import { PassphraseCheck } from "../../lib/account/passphrase_check.ts";
import {
  Registration,
  registrationBytes,
} from "../../lib/account/registration.ts";
import { UsrKeys } from "../../lib/account/usr_keys.ts";
import { WRAPPED_LIMIT } from "../../lib/identity/mod.ts";
import {
  CommandWriter,
  Decoder,
  MalformedError,
  randomBytes,
  sign,
  utf8,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../lib/protocol/mod.ts";
import { SqliteServerStore } from "../../lib/store/mod.ts";
import { freshKeyring, testKeyring } from "../support/keyrings.ts";
import { testRsaPair } from "../support/rsa_pair.ts";

const HASH = randomBytes(32);
const AUTH = randomBytes(32);
const NOW = 1_900_000_000_000;
const OPEN: RegistrationRules = { zones: ["test", "other"], mode: "open" };
const INVITE: RegistrationRules = { zones: ["test"], mode: "invite" };

/** What makes a REGISTER that is in order; each may be changed. */
interface Parts {
  readonly username: string;
  readonly certificate: Bytes;
  readonly signature: Bytes;
  readonly wrapped: Bytes | undefined;
}

async function partsOf(address: string): Promise<Parts> {
  const { certificate, signing } = await testKeyring(address);
  return {
    username: address,
    certificate: certificate.bytes,
    signature: await sign(
      signing.privateKey,
      registrationBytes(HASH, certificate.id),
    ),
    wrapped: undefined,
  };
}

function message({ username, certificate, signature, wrapped }: Parts) {
  const writer = new CommandWriter().set(USERNAME, utf8(username))
    .set(CERTIFICATE, certificate).set(SIGNATURE, signature)
    .set(WRAPPED_KEYS, wrapped);
  if (wrapped !== undefined) {
    writer.set(KDF_SALT, new Uint8Array(16)).set(KDF_MEMORY, 65_536)
      .set(KDF_PASSES, 3);
  }
  return decode(writer.verb(REGISTER).done());
}

function decode(commands: Bytes): Message {
  const decoder = new Decoder(new Vocabulary(ACCOUNT), {
    messageBytes: 70_000,
    skippedBytes: 0,
  });
  decoder.push(commands);
  return decoder.next()!;
}

/** A registration with its store, and how many RSA pairs it asked for. */
class Office implements AsyncDisposable {
  pairs = 0;
  readonly store: SqliteServerStore;
  readonly registration: Registration;

  private constructor(store: SqliteServerStore, rules: RegistrationRules) {
    const secret = randomBytes(32);
    this.store = store;
    this.registration = new Registration(
      store,
      rules,
      new PassphraseCheck(secret),
      new UsrKeys(secret, () => {
        this.pairs++;
        return testRsaPair();
      }),
      () => NOW,
    );
  }

  static async open(rules: RegistrationRules = OPEN): Promise<Office> {
    return new Office(await SqliteServerStore.open(":memory:"), rules);
  }

  register(parts: Parts, invite = ""): Promise<Bytes> {
    const credentials = { auth: AUTH, invite: utf8(invite) };
    return this.registration.register(message(parts), credentials, HASH);
  }

  async refused(parts: Parts, invite = ""): Promise<string> {
    const error = await assertRejects(
      () => this.register(parts, invite),
      AccountError,
    );
    return error.reason;
  }

  async invite(code: string, uses: number, expiresAt = NOW + 1) {
    const hash = await inviteHash(utf8(code));
    await this.store.invites.create({ hash, uses, expiresAt, note: "" });
  }

  async usesLeft(): Promise<number[]> {
    return (await this.store.invites.list()).map(({ uses }) => uses);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store.close();
  }
}

Deno.test("S2.4: without wrapped keys the account is non-interactive and the server holds no private key", async () => {
  await using office = await Office.open();
  const parts = await partsOf("bot@test");
  const usrKey = await office.register(parts);
  const account = await office.store.accounts.byAddress("bot@test");
  assert(account !== undefined);
  const { authHash, authSalt, kdfSalt, wrappedKeys } = account;
  assertEquals([authHash, authSalt, kdfSalt, wrappedKeys], [
    null,
    null,
    null,
    null,
  ]);
  assertEquals(account.kind, "non-interactive");
  assertEquals(account.usrPublic, usrKey);
  assertEquals(account.certificate, parts.certificate);
  assertEquals(account.createdAt, NOW);
});

Deno.test("S3.3: with wrapped keys it is interactive, and what is stored of auth is hashed", async () => {
  await using office = await Office.open();
  const wrapped = randomBytes(2_500);
  await office.register({ ...await partsOf("alice@test"), wrapped });
  const account = await office.store.accounts.byAddress("alice@test");
  assertEquals(account?.kind, "interactive");
  assertEquals(account?.wrappedKeys, wrapped);
  assertEquals([account?.kdfMemoryKiB, account?.kdfPasses], [65_536, 3]);
  const stored = Object.values(account!).map((each) =>
    each instanceof Uint8Array ? each.toHex() : String(each)
  ).join(" ");
  assert(!stored.includes(AUTH.toHex()));
});

Deno.test("registration: every part of the proof is checked", async () => {
  await using office = await Office.open();
  const alice = await partsOf("alice@test");
  const mallory = await partsOf("mallory@test");
  const stranger = await freshKeyring("alice@test");
  const flipped = alice.certificate.slice();
  flipped[flipped.length - 1]! ^= 1;
  const { certificate, signing } = await testKeyring("alice@test");
  const otherChannel = await sign(
    signing.privateKey,
    registrationBytes(randomBytes(32), certificate.id),
  );
  const cases: Record<string, Parts> = {
    "another's name": { ...alice, username: "mallory@test" },
    "no name": { ...alice, username: "" },
    "another's certificate": { ...mallory, certificate: alice.certificate },
    "another's signature": { ...alice, signature: mallory.signature },
    "signature of another channel": { ...alice, signature: otherChannel },
    "certificate of other keys": {
      ...alice,
      certificate: stranger.certificate.bytes,
    },
    "altered certificate": { ...alice, certificate: flipped },
    "cut certificate": { ...alice, certificate: alice.certificate.slice(1) },
    "no certificate": { ...alice, certificate: new Uint8Array(0) },
  };
  for (const [name, parts] of Object.entries(cases)) {
    assertEquals(await office.refused(parts), "certificate-invalid", name);
  }
  assertEquals(await office.store.accounts.count(), 0);
  assertEquals(office.pairs, 0);
  await office.register(alice);
});

Deno.test("registration: a parameter that is missing is malformed", async () => {
  await using office = await Office.open();
  const { certificate } = await partsOf("alice@test");
  const writer = new CommandWriter().set(USERNAME, utf8("alice@test"))
    .set(CERTIFICATE, certificate).verb(REGISTER);
  await assertRejects(
    () =>
      office.registration.register(
        decode(writer.done()),
        { auth: AUTH, invite: new Uint8Array(0) },
        HASH,
      ),
    MalformedError,
  );
});

Deno.test("S2.3: only the server's own zones are served", async () => {
  await using office = await Office.open();
  assertEquals(
    await office.refused(await partsOf("alice@elsewhere")),
    "zone-unknown",
  );
  await office.register(await partsOf("alice@test"));
  await office.register(await partsOf("alice@other"));
  assertEquals(await office.store.accounts.count(), 2);
});

Deno.test("registration: a name is given once; the same certificate again gets the same answer", async () => {
  await using office = await Office.open();
  const parts = await partsOf("alice@test");
  const usrKey = await office.register(parts);
  assertEquals(await office.register(parts), usrKey);
  assertEquals(office.pairs, 2, "one for the account, one made ahead");

  const thief = await freshKeyring("alice@test");
  const taken = {
    ...parts,
    certificate: thief.certificate.bytes,
    signature: await sign(
      thief.signing.privateKey,
      registrationBytes(HASH, thief.certificate.id),
    ),
  };
  assertEquals(await office.refused(taken), "name-taken");
  const account = await office.store.accounts.byAddress("alice@test");
  assertEquals(account?.certificate, parts.certificate);
});

Deno.test("registration: of two who ask for a name at once, one gets it", async () => {
  await using office = await Office.open();
  const keyrings = [await freshKeyring("x@test"), await freshKeyring("x@test")];
  const outcomes = await Promise.allSettled(
    keyrings.map(async ({ certificate, signing }) =>
      office.register({
        username: "x@test",
        certificate: certificate.bytes,
        signature: await sign(
          signing.privateKey,
          registrationBytes(HASH, certificate.id),
        ),
        wrapped: undefined,
      })
    ),
  );
  assertEquals(outcomes.map(({ status }) => status).sort(), [
    "fulfilled",
    "rejected",
  ]);
  const lost = outcomes.find((each) => each.status === "rejected");
  assertEquals((lost?.reason as AccountError).reason, "name-taken");
});

Deno.test("registration: wrapped keys are bounded", async () => {
  await using office = await Office.open();
  const parts = await partsOf("alice@test");
  const wrapped = (length: number) => ({
    ...parts,
    wrapped: new Uint8Array(length),
  });
  assertEquals(await office.refused(wrapped(WRAPPED_LIMIT + 1)), "too-large");
  await office.register(wrapped(WRAPPED_LIMIT));
});

Deno.test("invites: needed, unknown, expired, used up", async () => {
  await using office = await Office.open(INVITE);
  const alice = await partsOf("alice@test");
  await office.invite("expired", 5, NOW);
  await office.invite("good", 2);
  assertEquals(await office.refused(alice), "invite-needed");
  assertEquals(await office.refused(alice, "unknown"), "invite-invalid");
  assertEquals(await office.refused(alice, "expired"), "invite-invalid");
  assertEquals(office.pairs, 0, "nobody without an invite costs a key pair");
  assertEquals((await office.usesLeft()).toSorted(), [2, 5]);

  await office.register(alice, "good");
  assertEquals((await office.usesLeft()).toSorted(), [1, 5]);
  await office.register(await partsOf("bob@test"), "good");
  assertEquals(await office.usesLeft(), [5]);
  const carol = await partsOf("carol@test");
  assertEquals(await office.refused(carol, "good"), "invite-invalid");
});

Deno.test("invites: a use is spent once per account, and not by a refusal", async () => {
  await using office = await Office.open(INVITE);
  await office.invite("good", 3);
  const alice = await partsOf("alice@test");
  const usrKey = await office.register(alice, "good");
  // A client that lost the answer asks again, with or without an invite that is still good.
  for (const code of ["good", "used up since", ""]) {
    assertEquals(await office.register(alice, code), usrKey);
  }
  assertEquals(await office.usesLeft(), [2]);
  const thief = await freshKeyring("alice@test");
  const taken = {
    ...alice,
    certificate: thief.certificate.bytes,
    signature: await sign(
      thief.signing.privateKey,
      registrationBytes(HASH, thief.certificate.id),
    ),
  };
  assertEquals(await office.refused(taken, "good"), "name-taken");
  assertEquals(await office.usesLeft(), [2]);
  // Without a good invite nobody learns which names are taken.
  assertEquals(await office.refused(taken, "bad"), "invite-invalid");
  assertEquals(await office.refused(taken), "invite-needed");
});

Deno.test("invites: the last use goes to one of two who come at once", async () => {
  await using office = await Office.open(INVITE);
  await office.invite("good", 1);
  const people = [await partsOf("a@test"), await partsOf("b@test")];
  const outcomes = await Promise.allSettled(
    people.map((parts) => office.register(parts, "good")),
  );
  const lost = outcomes.filter((each) => each.status === "rejected");
  assertEquals(lost.length, 1);
  assertEquals((lost[0]!.reason as AccountError).reason, "invite-invalid");
  assertEquals(await office.store.accounts.count(), 1);
});
