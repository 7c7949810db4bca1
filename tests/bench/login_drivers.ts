import {
  CERTIFICATE_ID,
  CREDENTIALS,
  KDF_SALT,
  LOGGED_IN,
  LOGIN,
  OK,
  PREPARE,
  PREPARED,
  SESSION,
  SESSION_KEY,
  SESSION_SHARE,
  USERNAME,
  USR_KEY,
} from "../../lib/account/commands.ts";
import { sealCredentials, SHARE_BYTES } from "../../lib/account/credentials.ts";
import type { Keyring, NodeCertificate } from "../../lib/identity/mod.ts";
import type {
  Bytes,
  CommandChannel,
  Message,
  Verb,
} from "../../lib/protocol/mod.ts";
import {
  CommandWriter,
  concat,
  randomBytes,
  rsaDecrypt,
  rsaEncrypt,
  utf8,
} from "../../lib/protocol/mod.ts";

/**
 * Asks for a login by key and leaves as soon as the answer has come, without opening it: what the
 * server does is the same, and the client does as little as it can.
 */
export async function startLogin(
  link: CommandChannel,
  { certificate }: Keyring,
  usrKey: Bytes,
): Promise<void> {
  const share = await rsaEncrypt(usrKey, randomBytes(SHARE_BYTES), link.hash);
  await ask(
    link,
    new CommandWriter(1_024).set(CERTIFICATE_ID, certificate.id)
      .set(SESSION_SHARE, share).verb(LOGIN),
    LOGGED_IN,
  );
}

/** What the passphrase of everybody in the benchmarks stretches to, 32 bytes. */
export const BENCH_AUTH: Uint8Array<ArrayBuffer> = new Uint8Array(32).fill(9);

/**
 * Logs in as `loginByPassphrase` does, but with a passphrase that has been stretched before and
 * without unwrapping the keyring: Argon2id is the client's affair, and this is about the server.
 */
export async function logInStretched(
  link: CommandChannel,
  node: NodeCertificate,
  { certificate, rsa }: Keyring,
): Promise<void> {
  const username = utf8(certificate.address);
  const prepared = await ask(
    link,
    new CommandWriter().set(USERNAME, username).verb(PREPARE),
    PREPARED,
  );
  prepared.need(KDF_SALT);
  const credentials = await sealCredentials(node, link.hash, {
    auth: BENCH_AUTH,
    invite: new Uint8Array(0),
  });
  const answer = await ask(
    link,
    new CommandWriter(1_024).set(USERNAME, username)
      .set(CREDENTIALS, credentials).verb(LOGIN),
    LOGGED_IN,
  );
  const theirs = await rsaDecrypt(
    rsa.privateKey,
    answer.need(SESSION_KEY),
    link.hash,
  );
  const share = randomBytes(SHARE_BYTES);
  const sealed = await rsaEncrypt(answer.need(USR_KEY), share, link.hash);
  const keys = await link.mix(concat(share, theirs));
  await link.send(
    new CommandWriter(512).set(SESSION_SHARE, sealed).verb(SESSION).done(),
  );
  link.use(keys);
  const last = await link.next();
  if (last?.verb !== OK) throw new Error("Cannot log in: no OK came");
}

async function ask(
  link: CommandChannel,
  writer: CommandWriter,
  expected: Verb,
): Promise<Message> {
  await link.send(writer.done());
  const answer = await link.next();
  if (answer?.verb === expected) return answer;
  throw new Error(`Cannot log in: ${answer?.verb.name} came`);
}
