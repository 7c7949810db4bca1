import type { Bytes, CommandChannel, Message, Verb } from "../protocol/mod.ts";
import {
  ChannelError,
  CommandWriter,
  concat,
  equalConstantTime,
  fromUtf8,
  MalformedError,
  randomBytes,
  RECORD_LIMIT,
  RECORD_LIMIT_MINIMUM,
  rsaDecrypt,
  rsaEncrypt,
  sign,
  utf8,
} from "../protocol/mod.ts";
import type { Keyring, NodeCertificate } from "../identity/mod.ts";
import {
  AUTH_BYTES,
  parseCertificate,
  parseKeyring,
  stretch,
  unwrapKeyring,
} from "../identity/mod.ts";
import { AccountError, refusalOf, SessionKeyError } from "./account_error.ts";
import {
  ABOUT,
  ABOUT_IS,
  CERTIFICATE,
  CERTIFICATE_ID,
  CREDENTIALS,
  KO,
  LOGGED_IN,
  LOGIN,
  MAX_PACKET,
  OK,
  PREPARE,
  PREPARED,
  REASON,
  REGISTER,
  REGISTERED,
  REGISTRATION,
  RETRY_IN,
  SESSION,
  SESSION_KEY,
  SESSION_SHARE,
  SIGNATURE,
  USERNAME,
  USR_KEY,
  WRAPPED_KEYS,
  ZONE,
} from "./commands.ts";
import { sealCredentials, SHARE_BYTES } from "./credentials.ts";
import {
  NO_INVITE,
  stretchingOf,
  writePassphrase,
} from "./passphrase_record.ts";
import { registrationBytes } from "./registration.ts";

const NO_AUTH = new Uint8Array(AUTH_BYTES);

/** How to register. */
export interface RegisterOptions {
  /** The passphrase of an interactive account; without one the account is non-interactive. */
  readonly passphrase?: string | undefined;
  /** The code, where the server asks for one. */
  readonly invite?: string | undefined;
}

/** What a login by passphrase brings to a machine that knew nothing. */
export interface Unlocked {
  /** The account's keys, unwrapped. */
  readonly keyring: Keyring;
  /** The server's key for this account (SPKI), to be kept: later logins prove it. */
  readonly usrKey: Bytes;
}

/** What a server says about itself. */
export interface About {
  /** The zone of names that name none. */
  readonly zone: string;
  /** Who may register. */
  readonly registration: "open" | "invite";
  /** Its MAX-PACKET in bytes. */
  readonly maxPacket: number;
}

/** Asks what kind of server this is. */
export async function about(link: CommandChannel): Promise<About> {
  const answer = await ask(
    link,
    new CommandWriter().verb(ABOUT),
    ABOUT_IS,
    "ask about the server",
  );
  return {
    zone: fromUtf8(answer.need(ZONE)),
    registration: fromUtf8(answer.need(REGISTRATION)) === "open"
      ? "open"
      : "invite",
    maxPacket: answer.need(MAX_PACKET),
  };
}

/**
 * Makes an account for `keyring` (S0.4, S0.5, S3.2, S3.3). The passphrase does not leave this
 * machine; the keys leave it only wrapped.
 *
 * @returns the public key that the server made for the account (SPKI), to be kept.
 * @throws {AccountError} if the server refuses.
 */
export async function register(
  link: CommandChannel,
  node: NodeCertificate,
  keyring: Keyring,
  { passphrase, invite = "" }: RegisterOptions,
): Promise<Bytes> {
  const { certificate } = keyring;
  const writer = new CommandWriter(8_192)
    .set(USERNAME, utf8(certificate.address))
    .set(CERTIFICATE, certificate.bytes)
    .set(
      SIGNATURE,
      await sign(
        keyring.signing.privateKey,
        registrationBytes(link.hash, certificate.id),
      ),
    );
  const auth = passphrase === undefined
    ? NO_AUTH
    : await writePassphrase(writer, keyring, passphrase);
  writer.set(
    CREDENTIALS,
    await sealCredentials(node, link.hash, { auth, invite: utf8(invite) }),
  );
  const answer = await ask(link, writer.verb(REGISTER), REGISTERED, "register");
  return answer.need(USR_KEY);
}

/**
 * Logs in on a machine that has no keys yet: fetches the wrapped keyring and unlocks it (S2.3, S3.3).
 * Afterwards the channel speaks under the session keys.
 *
 * @throws {AccountError} "credentials" if name or passphrase is wrong.
 * @throws {WeakCostError} if the server asks for a stretching that would expose the passphrase.
 * @throws {ExcessiveCostError} if it asks for one that would exhaust this machine.
 * @throws {WrongPassphraseError} if what it sends are not the keys that this passphrase wrapped.
 * @throws {RangeError} if `maxPacket` is outside 512..65,536.
 */
export async function loginByPassphrase(
  link: CommandChannel,
  node: NodeCertificate,
  address: string,
  passphrase: string,
  maxPacket: number = RECORD_LIMIT,
): Promise<Unlocked> {
  link.limit(maxPacket);
  const username = utf8(address);
  const { salt, cost } = stretchingOf(
    await ask(
      link,
      new CommandWriter().set(USERNAME, username).verb(PREPARE),
      PREPARED,
      "log in",
    ),
  );
  const { auth, wrapKey } = await stretch(passphrase, salt, cost);
  const answer = await ask(
    link,
    new CommandWriter(1_024).set(USERNAME, username)
      .set(MAX_PACKET, maxPacket)
      .set(
        CREDENTIALS,
        await sealCredentials(node, link.hash, { auth, invite: NO_INVITE }),
      )
      .verb(LOGIN),
    LOGGED_IN,
    "log in",
  );
  const certificate = await parseCertificate(answer.need(CERTIFICATE));
  const keyring = await parseKeyring(
    await unwrapKeyring(answer.need(WRAPPED_KEYS), wrapKey, {
      address,
      certificateId: certificate.id,
      salt,
      cost,
    }),
  );
  if (
    !equalConstantTime(keyring.certificate.id, certificate.id) ||
    certificate.address !== address
  ) {
    throw new MalformedError(
      "Cannot log in: the keys belong to another account",
    );
  }
  const usrKey = answer.need(USR_KEY);
  const theirs = await openSessionKey(keyring, answer, link.hash);
  const share = randomBytes(SHARE_BYTES);
  const sealed = await rsaEncrypt(usrKey, share, link.hash);
  const keys = await link.mix(concat(share, theirs));
  limit(link, answer, maxPacket);
  await link.send(
    new CommandWriter(512).set(SESSION_SHARE, sealed).verb(SESSION).done(),
  );
  link.use(keys);
  await confirmed(link);
  return { keyring, usrKey };
}

/**
 * Logs in with keys that are at hand (S2.4). Afterwards the channel speaks under the session keys;
 * whether both sides hold them shows with the first answer (S2.7).
 *
 * @param usrKey what the server gave at registration or at a login by passphrase (SPKI).
 * @throws {SessionKeyError} if what came back is not for these keys.
 * @throws {RangeError} if `maxPacket` is outside 512..65,536.
 */
export async function loginByKey(
  link: CommandChannel,
  keyring: Keyring,
  usrKey: Bytes,
  maxPacket: number = RECORD_LIMIT,
): Promise<void> {
  link.limit(maxPacket);
  const share = randomBytes(SHARE_BYTES);
  const answer = await ask(
    link,
    new CommandWriter(1_024).set(CERTIFICATE_ID, keyring.certificate.id)
      .set(MAX_PACKET, maxPacket)
      .set(SESSION_SHARE, await rsaEncrypt(usrKey, share, link.hash))
      .verb(LOGIN),
    LOGGED_IN,
    "log in",
  );
  const theirs = await openSessionKey(keyring, answer, link.hash);
  link.use(await link.mix(concat(share, theirs)));
  limit(link, answer, maxPacket);
}

async function openSessionKey(
  keyring: Keyring,
  answer: Message,
  channelHash: Bytes,
): Promise<Bytes> {
  let share: Bytes;
  try {
    const sealed = answer.need(SESSION_KEY);
    share = await rsaDecrypt(keyring.rsa.privateKey, sealed, channelHash);
  } catch (cause) {
    throw new SessionKeyError({ cause });
  }
  if (share.length !== SHARE_BYTES) throw new SessionKeyError();
  return share;
}

function limit(link: CommandChannel, answer: Message, own: number): void {
  const theirs = answer.get(MAX_PACKET) ?? RECORD_LIMIT;
  if (theirs < RECORD_LIMIT_MINIMUM || theirs > RECORD_LIMIT) {
    throw new MalformedError(`Cannot use MAX-PACKET: ${theirs} bytes`);
  }
  link.limit(Math.min(own, theirs));
}

async function ask(
  link: CommandChannel,
  writer: CommandWriter,
  expected: Verb,
  action: string,
): Promise<Message> {
  await link.send(writer.done());
  return expect(await link.next(), expected, action);
}

/** The server's OK is the first thing under the session keys. */
async function confirmed(link: CommandChannel): Promise<void> {
  try {
    expect(await link.next(), OK, "log in");
  } catch (cause) {
    if (!(cause instanceof ChannelError)) throw cause;
    throw new SessionKeyError({ cause });
  }
}

function expect(
  answer: Message | null,
  expected: Verb,
  action: string,
): Message {
  if (answer === null) {
    throw new ChannelError(
      "ERR_CHANNEL_CLOSED",
      `Cannot ${action}: the server closed the connection`,
    );
  }
  if (answer.verb === KO) {
    const reason = fromUtf8(answer.need(REASON));
    throw new AccountError(
      action,
      refusalOf(reason),
      answer.get(RETRY_IN) ?? 0,
    );
  }
  if (answer.verb !== expected) {
    throw new MalformedError(
      `Cannot ${action}: ${answer.verb.name} came instead of ${expected.name}`,
    );
  }
  return answer;
}
