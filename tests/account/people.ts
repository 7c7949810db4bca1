import {
  ACCOUNT,
  ClientSession,
  loginByKey,
  register,
  WHO_AM_I,
} from "../../lib/account/mod.ts";
import type { PushHandler, RegisterOptions } from "../../lib/account/mod.ts";
import {
  CREDENTIALS,
  KDF_MEMORY,
  KDF_PASSES,
  KDF_SALT,
  REGISTER,
  SIGNATURE,
  WRAPPED_KEYS,
} from "../../lib/account/commands.ts";
import { sealCredentials } from "../../lib/account/credentials.ts";
import { registrationBytes } from "../../lib/account/registration.ts";
import type { Keyring, NodeCertificate } from "../../lib/identity/mod.ts";
import {
  encodeKeyring,
  MINIMUM_COST,
  stretch,
  wrapKeyring,
} from "../../lib/identity/mod.ts";
import {
  CommandWriter,
  fromUtf8,
  randomBytes,
  sign,
  utf8,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import {
  CERTIFICATE,
  REGISTERED,
  USERNAME,
} from "../../lib/account/commands.ts";
import { testRsaPair } from "../support/rsa_pair.ts";
import { testServer } from "../support/server.ts";
import type { TestServer, TestServerOptions } from "../support/server.ts";
import { testKeyring } from "../support/keyrings.ts";
import { ECHO_TABLE } from "./echo_service.ts";

/** All commands that these tests speak. */
export const WORDS: Vocabulary = new Vocabulary(ACCOUNT, ECHO_TABLE);

/** A test server at which accounts are made at once: all of them get the same USR pair. */
export function quickServer(
  options: TestServerOptions = {},
): Promise<TestServer> {
  return testServer({ usrPairsForTesting: testRsaPair, ...options });
}

/** Somebody who has an account and the keys to it. */
export interface Member {
  readonly keyring: Keyring;
  readonly usrKey: Bytes;
}

/** Registers `address` with the keyring that belongs to it in this test file. */
export async function enrol(
  server: TestServer,
  address: string,
  options: RegisterOptions = {},
): Promise<Member> {
  const keyring = await testKeyring(address);
  const link = await server.connect();
  const usrKey = await register(
    link,
    server.node.certificate,
    keyring,
    options,
  );
  await link.close();
  return { keyring, usrKey };
}

/** A session on `link`, where somebody has logged in. */
export function sessionOn(
  link: CommandChannel,
  keyring: Keyring,
  onPush: PushHandler = () => Promise.resolve(),
): ClientSession {
  return new ClientSession(link, keyring, WORDS, onPush);
}

/** Logs a member in by key on a new connection. */
export async function enter(
  server: { connect(): Promise<CommandChannel> },
  { keyring, usrKey }: Member,
  onPush?: PushHandler,
): Promise<ClientSession> {
  const link = await server.connect();
  await loginByKey(link, keyring, usrKey);
  return sessionOn(link, keyring, onPush);
}

/** As whom the server knows a session. */
export async function whoAmI(session: ClientSession): Promise<string> {
  const ask = new CommandWriter().verb(WHO_AM_I).done();
  return fromUtf8((await session.request(ask)).need(USERNAME));
}

/**
 * As `enrol` with a passphrase, but stretched at the lowest cost that clients accept, which takes a
 * quarter of the time here and at every login.
 */
export async function enrolCheaply(
  server: TestServer,
  address: string,
  passphrase: string,
): Promise<Member> {
  const keyring = await testKeyring(address);
  const link = await server.connect();
  const commands = await registerCommands(
    link.hash,
    server.node.certificate,
    keyring,
    passphrase,
  );
  await link.send(commands);
  const answer = await link.next();
  if (answer?.verb !== REGISTERED) throw new Error(`Got ${answer?.describe()}`);
  await link.close();
  const account = await server.store.accounts.byAddress(address);
  return { keyring, usrKey: account!.usrPublic };
}

/** REGISTER with all that belongs to it. */
async function registerCommands(
  channelHash: Bytes,
  node: NodeCertificate,
  keyring: Keyring,
  passphrase: string,
): Promise<Bytes> {
  const { address, bytes, id } = keyring.certificate;
  const salt = randomBytes(16);
  const cost = MINIMUM_COST;
  const { auth, wrapKey } = await stretch(passphrase, salt, cost);
  const binding = { address, certificateId: id, salt, cost };
  return new CommandWriter(4_096).set(USERNAME, utf8(address))
    .set(CERTIFICATE, bytes)
    .set(
      SIGNATURE,
      await sign(
        keyring.signing.privateKey,
        registrationBytes(channelHash, id),
      ),
    )
    .set(
      WRAPPED_KEYS,
      await wrapKeyring(await encodeKeyring(keyring), wrapKey, binding),
    )
    .set(KDF_SALT, salt).set(KDF_MEMORY, cost.memoryKiB)
    .set(KDF_PASSES, cost.passes)
    .set(
      CREDENTIALS,
      await sealCredentials(node, channelHash, { auth, invite: utf8("") }),
    )
    .verb(REGISTER).done();
}
