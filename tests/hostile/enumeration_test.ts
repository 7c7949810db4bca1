import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { accountLink, register } from "../../lib/account/mod.ts";
import {
  CERTIFICATE_ID,
  CREDENTIALS,
  KDF_MEMORY,
  KDF_PASSES,
  KDF_SALT,
  KO,
  LOGGED_IN,
  LOGIN,
  PREPARE,
  PREPARED,
  REASON,
  SESSION_SHARE,
  USERNAME,
} from "../../lib/account/commands.ts";
import { sealCredentials } from "../../lib/account/credentials.ts";
import {
  Caller,
  CommandWriter,
  fromUtf8,
  randomBytes,
  rsaEncrypt,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel, Message } from "../../lib/protocol/mod.ts";
import { SqliteServerStore } from "../../lib/store/mod.ts";
import type { Account, ServerStore } from "../../lib/store/mod.ts";
import {
  freshKeyring,
  freshNodeKeyring,
  testKeyring,
} from "../support/keyrings.ts";
import { testRsaPair } from "../support/rsa_pair.ts";
import { testServer } from "../support/server.ts";
import type { TestServer, TestServerOptions } from "../support/server.ts";
import { compareTimes, noiseBound } from "./timing.ts";

const KNOWN = "alice@test";
const BOT = "robot@test";
const UNKNOWN = "nobod@test";

/** A server with an interactive and a non-interactive account, whose clock forgives every guess. */
async function server(options: TestServerOptions = {}): Promise<TestServer> {
  let clock = 1_800_000_000_000;
  const made = await testServer({
    usrPairsForTesting: testRsaPair,
    now: () => clock += 100_000_000,
    ...options,
  });
  const link = await made.connect();
  const { certificate } = made.node;
  await register(link, certificate, await testKeyring(KNOWN), {
    passphrase: "correct horse",
  });
  await register(link, certificate, await testKeyring(BOT), {});
  await link.close();
  return made;
}

/** A link that tells how many bytes have come, sealed as they are. */
async function measuredLink(
  { dial, node }: TestServer,
): Promise<{ link: CommandChannel; received(): number }> {
  const connection = await dial();
  let received = 0;
  const caller = new Caller({
    read: async (buffer) => {
      const count = await connection.read(buffer);
      received += count ?? 0;
      return count;
    },
    write: (bytes) => connection.write(bytes),
    close: () => connection.close(),
  });
  const channel = await caller.connect(node.certificate.dhKey);
  return { link: accountLink(channel), received: () => received };
}

/** What an answer looks like from outside and from inside, without its random parts. */
async function shapeOf(
  { link, received }: Awaited<ReturnType<typeof measuredLink>>,
  commands: Bytes,
): Promise<{ bytes: number; answer: string; message: Message }> {
  const before = received();
  await link.send(commands);
  const message = (await link.next())!;
  return {
    bytes: received() - before,
    answer: message.describe(),
    message,
  };
}

function prepare(address: string): Bytes {
  return new CommandWriter().set(USERNAME, utf8(address)).verb(PREPARE).done();
}

/** LOGIN with a wrong passphrase, for one connection. */
async function wrongLogin(
  { node }: TestServer,
  link: CommandChannel,
  address: string,
): Promise<Bytes> {
  const credentials = await sealCredentials(node.certificate, link.hash, {
    auth: randomBytes(32),
    invite: new Uint8Array(0),
  });
  return new CommandWriter().set(USERNAME, utf8(address))
    .set(CREDENTIALS, credentials).verb(LOGIN).done();
}

/** LOGIN by a certificate id, with a share that no USR key opens. */
async function keyLogin({ node }: TestServer, id: Bytes): Promise<Bytes> {
  const label = utf8("another label");
  const share = await rsaEncrypt(
    node.certificate.rsaKey,
    randomBytes(32),
    label,
  );
  return new CommandWriter().set(CERTIFICATE_ID, id)
    .set(SESSION_SHARE, share).verb(LOGIN).done();
}

Deno.test("S3.2: PREPARE is answered alike for a person, a bot and nobody: same verb, same lengths, same cost", async () => {
  await using made = await server();
  const measured = await measuredLink(made);
  const shapes = [];
  for (const address of [KNOWN, BOT, UNKNOWN]) {
    const { message, ...shape } = await shapeOf(measured, prepare(address));
    assertEquals(message.verb, PREPARED);
    assertEquals(message.need(KDF_SALT).length, 16);
    assert(message.need(KDF_MEMORY) > 0 && message.need(KDF_PASSES) > 0);
    shapes.push(shape);
  }
  assertEquals(shapes[1], shapes[0]);
  assertEquals(shapes[2], shapes[0]);
  await measured.link.close();
});

Deno.test("S3.2: the salt of nobody is always the same for a name, another for another name, another at another server", async () => {
  const node = await freshNodeKeyring();
  const salts = async (made: TestServer): Promise<string[]> => {
    const measured = await measuredLink(made);
    const found: string[] = [];
    for (const address of [UNKNOWN, UNKNOWN, "other@test", ` ${UNKNOWN}`]) {
      const { message } = await shapeOf(measured, prepare(address));
      found.push(message.need(KDF_SALT).toHex());
    }
    await measured.link.close();
    return found;
  };
  const first = await (async () => {
    await using made = await server({ node });
    return await salts(made);
  })();
  await using again = await server({ node });
  await using other = await server({ node: await freshNodeKeyring() });
  assertEquals(first[0], first[1]);
  assertEquals(new Set(first).size, 3);
  assertEquals(await salts(again), first, "also after a restart");
  for (const [i, salt] of (await salts(other)).entries()) {
    assertNotEquals(salt, first[i]);
  }
});

Deno.test("S3.2: a wrong passphrase, a bot and an unknown name are refused alike: same verb, same reason, same lengths", async () => {
  await using made = await server();
  const measured = await measuredLink(made);
  const shapes = [];
  for (const address of [KNOWN, BOT, UNKNOWN, KNOWN, UNKNOWN]) {
    const { message, ...shape } = await shapeOf(
      measured,
      await wrongLogin(made, measured.link, address),
    );
    assertEquals(message.verb, KO);
    assertEquals(fromUtf8(message.need(REASON)), "credentials");
    shapes.push(shape);
  }
  for (const shape of shapes) assertEquals(shape, shapes[0]);
  await measured.link.close();
});

Deno.test("S3.2: guesses are slowed alike for a known and an unknown name, to the second", async () => {
  await using made = await server({ now: () => 1_800_000_000_000 });
  const waits: string[][] = [];
  for (const address of [KNOWN, UNKNOWN]) {
    const seen: string[] = [];
    const measured = await measuredLink(made);
    for (let i = 0; i < 9; i++) {
      const commands = await wrongLogin(made, measured.link, address);
      seen.push((await shapeOf(measured, commands)).answer);
    }
    waits.push(seen);
    await measured.link.close();
  }
  assertEquals(waits[0], waits[1]);
  assert(waits[0]!.at(-1)!.includes("RETRY-IN="));
});

Deno.test("S2.4: an id that somebody has and one that nobody has are answered alike, and both fall silent", async () => {
  await using made = await server();
  const known = (await testKeyring(BOT)).certificate.id;
  const shapes = [];
  for (const id of [known, randomBytes(32)]) {
    const measured = await measuredLink(made);
    const { message, ...shape } = await shapeOf(
      measured,
      await keyLogin(made, id),
    );
    assertEquals(message.verb, LOGGED_IN);
    const before = measured.received();
    await measured.link.send(prepare(KNOWN));
    const end = await measured.link.next().catch((error) => error.code);
    shapes.push({ ...shape, end, after: measured.received() - before });
  }
  assertEquals(shapes[0], shapes[1]);
  assertEquals(shapes[0]!.after, 0);
});

/** The time of an answer to LOGIN with a wrong passphrase for `address`, on links that are renewed. */
function loginTimer(
  made: TestServer,
  address: string,
): { measure(): Promise<number>; close(): Promise<void> } {
  let link: CommandChannel | undefined;
  let commands: Bytes | undefined;
  let used = 0;
  return {
    async measure() {
      if (link === undefined || commands === undefined || used === 100) {
        await link?.close();
        link = await made.connect();
        commands = await wrongLogin(made, link, address);
        used = 0;
      }
      used++;
      const start = performance.now();
      await link.send(commands);
      const answer = await link.next();
      const took = performance.now() - start;
      assertEquals(answer!.verb, KO);
      return took;
    },
    async close() {
      await link?.close();
    },
  };
}

Deno.test("S3.2: a wrong passphrase and an unknown name take as long", async () => {
  await using made = await server();
  const known = loginTimer(made, KNOWN);
  const unknown = loginTimer(made, UNKNOWN);
  const result = await compareTimes(known.measure, unknown.measure);
  await known.close();
  await unknown.close();
  assert(
    Math.abs(result.difference) < noiseBound(result),
    `${result.difference} ms more for a known name (± ${result.error})`,
  );
});

Deno.test("S3.2: PREPARE for a known and an unknown name takes as long", async () => {
  await using made = await server();
  let current = await made.connect();
  let used = 0;
  const timer = (address: string) => async () => {
    if (used++ === 1_000) {
      await current.close();
      current = await made.connect();
      used = 0;
    }
    const start = performance.now();
    await current.send(prepare(address));
    await current.next();
    return performance.now() - start;
  };
  const result = await compareTimes(timer(KNOWN), timer(UNKNOWN));
  await current.close();
  assert(
    Math.abs(result.difference) < noiseBound(result),
    `${result.difference} ms more for a known name (± ${result.error})`,
  );
});

Deno.test("S2.4: a login by a known and by an unknown id takes as long", async () => {
  await using made = await server();
  const stranger = (await freshKeyring(BOT)).certificate.id;
  const known = (await testKeyring(BOT)).certificate.id;
  const timer = (id: Bytes) => async () => {
    const link = await made.connect();
    const commands = await keyLogin(made, id);
    const start = performance.now();
    await link.send(commands);
    const answer = await link.next();
    const took = performance.now() - start;
    assertEquals(answer!.verb, LOGGED_IN);
    link.abort();
    return took;
  };
  const result = await compareTimes(timer(known), timer(stranger));
  assert(
    Math.abs(result.difference) < noiseBound(result),
    `${result.difference} ms more for a known id (± ${result.error})`,
  );
});

/** A store that takes 3 ms longer for accounts that exist. */
function telltale(store: ServerStore): ServerStore {
  const byAddress = async (address: string): Promise<Account | undefined> => {
    const account = await store.accounts.byAddress(address);
    if (account !== undefined) {
      // A timer would be a millisecond late.
      for (const end = performance.now() + 3; performance.now() < end;);
    }
    return account;
  };
  const bound = <T extends object>(object: T, changes: Partial<T>): T =>
    new Proxy(object, {
      get(target, name) {
        if (name in changes) return changes[name as keyof T];
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  return bound(store, { accounts: bound(store.accounts, { byAddress }) });
}

Deno.test("timing: a server that took 3 ms longer for known names would be caught", async () => {
  const directory = await Deno.makeTempDir();
  const store = await SqliteServerStore.open(`${directory}/slow.db`);
  {
    await using made = await server({ store: telltale(store) });
    const known = loginTimer(made, KNOWN);
    const unknown = loginTimer(made, UNKNOWN);
    const result = await compareTimes(known.measure, unknown.measure);
    await known.close();
    await unknown.close();
    assert(
      result.difference > noiseBound(result),
      `only ${result.difference} ms were seen (± ${result.error})`,
    );
  }
  await store.close();
  await Deno.remove(directory, { recursive: true });
});
