/**
 * Somebody with keys of their own who registers and logs in as SPEC.md §5 says.
 *
 * @module
 */
import { exportRsa } from "../../lib/protocol/mod.ts";
import { testRsaPair } from "../support/rsa_pair.ts";
import { registrationBytes } from "./naive_account.ts";
import { need } from "./naive_connection.ts";
import type { Command, NaiveConnection } from "./naive_connection.ts";
import {
  certificate,
  keyring,
  readCertificate,
  readKeyring,
  stretch,
  unwrapKeyring,
  wrapKeyring,
} from "./naive_identity.ts";
import type { Cost, NaiveCertificate, NaiveKeys } from "./naive_identity.ts";
import {
  ascii,
  ed25519Pair,
  join,
  random,
  rsaOpen,
  rsaSeal,
  sha256,
  sign,
  x25519Pair,
} from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import type { NaiveMessage } from "./naive_risp.ts";

/** The least that a client accepts, so that tests are quick. */
const COST = { memory: 19_456, passes: 2 };

/** An account to be. */
export class NaivePerson {
  readonly address: string;
  readonly keys: NaiveKeys;
  readonly certificate: Octets;

  private constructor(address: string, keys: NaiveKeys) {
    this.address = address;
    this.keys = keys;
    this.certificate = certificate(keys, 1_800_000_000, address);
  }

  /** Makes keys for `address`; the RSA pair is that of all tests. */
  static async make(address: string): Promise<NaivePerson> {
    const pair = await testRsaPair();
    return new NaivePerson(address, {
      signing: ed25519Pair(),
      agreement: x25519Pair(),
      rsa: { secret: await exportRsa(pair), open: pair.publicKey },
    });
  }

  /** CERTIFICATE-ID. */
  get id(): Octets {
    return sha256(this.certificate);
  }

  /** REGISTER (§5.4), with a passphrase or without; the answer. */
  async register(
    connection: NaiveConnection,
    server: NaiveCertificate,
    passphrase?: string,
  ): Promise<NaiveMessage> {
    let auth: Octets = new Uint8Array(32);
    const wrapped: Command[] = [];
    if (passphrase !== undefined) {
      const cost: Cost = { salt: random(16), ...COST };
      const stretched = await stretch(passphrase, cost);
      auth = stretched.auth;
      const ring = keyring(this.certificate, this.keys);
      wrapped.push(
        ["KDF-PASSES", cost.passes],
        ["KDF-MEMORY", cost.memory],
        ["KDF-SALT", cost.salt],
        [
          "WRAPPED-KEYS",
          wrapKeyring(ring, stretched.wrap, this.address, this.id, cost),
        ],
      );
    }
    const signed = registrationBytes(connection.hash, this.id);
    await connection.send([
      ["CREDENTIALS", connection.credentials(server.rsaKey, auth)],
      ["SIGNATURE", sign(this.keys.signing.secret, signed)],
      ...wrapped,
      ["CERTIFICATE", this.certificate],
      ["USERNAME", ascii(this.address)],
      "REGISTER",
    ]);
    return (await connection.next())!;
  }

  /** Login by key (§5.6). */
  async login(connection: NaiveConnection, usrKey: Octets): Promise<void> {
    const { hash } = connection;
    const share = random(32);
    await connection.send([
      ["SESSION-SHARE", rsaSeal(usrKey, share, hash)],
      ["CERTIFICATE-ID", this.id],
      "LOGIN",
    ]);
    const answer = (await connection.next())!;
    const theirs = this.#openShare(answer, this.keys.rsa.secret, hash);
    connection.mix(join(share, theirs));
  }

  /** A submission of one or more commands (§5.8); the answers, or the KO. */
  submit(
    connection: NaiveConnection,
    ...commands: Command[]
  ): Promise<readonly NaiveMessage[] | NaiveMessage> {
    const { secret } = this.keys.signing;
    return connection.submit(this.address, secret, commands);
  }

  /** The one answer to one command. */
  async ask(
    connection: NaiveConnection,
    ...commands: Command[]
  ): Promise<NaiveMessage> {
    const answers = await this.submit(connection, ...commands);
    if (!Array.isArray(answers) || answers.length !== 1) {
      throw new Error("not one answer");
    }
    return answers[0];
  }

  #openShare(answer: NaiveMessage, pkcs8: Octets, hash: Octets): Octets {
    if (answer.verb !== "LOGGED-IN") throw new Error(answer.verb);
    return rsaOpen(pkcs8, need<Octets>(answer, "SESSION-KEY"), hash);
  }
}

/** Login by passphrase on a machine that has nothing (§5.5); what it has then. */
export async function loginByPassphrase(
  connection: NaiveConnection,
  server: NaiveCertificate,
  address: string,
  passphrase: string,
): Promise<{ certificate: Octets; seed: Octets }> {
  const { hash } = connection;
  await connection.send([["USERNAME", ascii(address)], "PREPARE"]);
  const prepared = (await connection.next())!;
  const cost: Cost = {
    salt: need<Octets>(prepared, "KDF-SALT"),
    memory: need<number>(prepared, "KDF-MEMORY"),
    passes: need<number>(prepared, "KDF-PASSES"),
  };
  const { auth, wrap } = await stretch(passphrase, cost);
  await connection.send([
    ["CREDENTIALS", connection.credentials(server.rsaKey, auth)],
    ["MAX-PACKET", 700],
    ["USERNAME", ascii(address)],
    "LOGIN",
  ]);
  const answer = (await connection.next())!;
  if (answer.verb === "KO") throw new Error("KO");
  const theirs = need<Octets>(answer, "CERTIFICATE");
  const { id } = readCertificate("account", theirs);
  const wrapped = need<Octets>(answer, "WRAPPED-KEYS");
  const ring = readKeyring(unwrapKeyring(wrapped, wrap, address, id, cost));
  if (ring.certificate.toHex() !== theirs.toHex()) throw new Error("another");
  const sealed = need<Octets>(answer, "SESSION-KEY");
  const shareOfServer = rsaOpen(ring.pkcs8, sealed, hash);
  const share = random(32);
  const usrKey = need<Octets>(answer, "USR-KEY");
  await connection.send([
    ["SESSION-SHARE", rsaSeal(usrKey, share, hash)],
    "SESSION",
  ], 700);
  connection.mix(join(share, shareOfServer));
  const ok = (await connection.next())!;
  if (ok.verb !== "OK") throw new Error(ok.verb);
  return ring;
}
