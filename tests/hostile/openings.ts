import {
  CERTIFICATE,
  CERTIFICATE_ID,
  CREDENTIALS,
  KDF_MEMORY,
  KDF_PASSES,
  KDF_SALT,
  LOGIN,
  MAX_PACKET,
  PREPARE,
  REGISTER,
  SESSION,
  SESSION_SHARE,
  SIGNATURE,
  USERNAME,
  WRAPPED_KEYS,
} from "../../lib/account/commands.ts";
import { sealCredentials } from "../../lib/account/credentials.ts";
import { registrationBytes } from "../../lib/account/registration.ts";
import {
  CommandWriter,
  concat,
  HandshakeState,
  rsaEncrypt,
  sign,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import type { Attacker } from "./attacker.ts";
import type { Target } from "./target.ts";

/** A valid HELLO for the target. */
export async function helloTo({ certificate }: Target): Promise<Bytes> {
  const handshake = await HandshakeState.initialize(
    "Noise_NKhfs_25519+MLKEM768_AESGCM_SHA256",
    "initiator",
    { prologue: utf8("sotto 1"), remoteStatic: certificate.dhKey },
  );
  const message = await handshake.write(new Uint8Array(0));
  const length = new Uint8Array([message.length >> 8, message.length & 0xff]);
  return concat(
    Uint8Array.fromHex("9001"),
    length,
    message,
    Uint8Array.fromHex("7004"),
  );
}

/** What a client sends to register or to log in, well made for this connection. */
export async function logins(
  { target, random, resident, addresses }: Attacker,
  link: CommandChannel,
): Promise<Bytes[]> {
  const { certificate, signing } = resident.keyring;
  const own = utf8(certificate.address);
  const secret = await rsaEncrypt(
    resident.usrKey,
    random.bytes(32),
    link.hash,
  );
  const credentials = await sealCredentials(target.certificate, link.hash, {
    auth: random.bytes(32),
    invite: random.bytes(random.below(65)),
  });
  const proof = await sign(
    signing.privateKey,
    registrationBytes(link.hash, certificate.id),
  );
  const write = () => new CommandWriter();
  return [
    write().set(CERTIFICATE_ID, certificate.id).set(SESSION_SHARE, secret)
      .set(MAX_PACKET, random.pick([511, 512, 65_536, 65_537]))
      .verb(LOGIN).done(),
    write().set(USERNAME, utf8(random.pick(addresses)))
      .set(CREDENTIALS, credentials).verb(LOGIN).done(),
    write().set(USERNAME, own).set(CERTIFICATE, certificate.bytes)
      .set(SIGNATURE, proof).set(CREDENTIALS, credentials)
      .set(WRAPPED_KEYS, random.bytes(random.below(9_000)))
      .set(KDF_SALT, random.bytes(16)).set(KDF_MEMORY, random.u32())
      .set(KDF_PASSES, random.below(256)).verb(REGISTER).done(),
    write().set(USERNAME, own).verb(PREPARE).verb(SESSION).done(),
  ];
}
