/**
 * Certificates, keyrings, passphrases, key files, safety numbers: written from SPEC.md §7.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  argon2,
  ascii,
  hkdf,
  join,
  open,
  random,
  seal,
  sha256,
  sign,
  toBig,
  unsigned,
  verify,
} from "./naive_primitives.ts";
import type { Octets, RawPair } from "./naive_primitives.ts";

const NOTHING: Octets = new Uint8Array(0);
const LABEL = {
  account: "sotto account certificate v1\0",
  node: "sotto node certificate v1\0",
};

/** The three pairs of a keyring; of the RSA pair SubjectPublicKeyInfo and PKCS#8. */
export interface NaiveKeys {
  readonly signing: RawPair;
  readonly agreement: RawPair;
  readonly rsa: RawPair;
}

/** What a certificate says. */
export interface NaiveCertificate {
  readonly address: string;
  readonly created: number;
  readonly signingKey: Octets;
  readonly agreementKey: Octets;
  readonly rsaKey: Octets;
  /** SHA256 of it all. */
  readonly id: Octets;
}

/** `x` behind its length in `size` bytes. */
export function counted(size: number, x: Uint8Array): Octets {
  return join(unsigned(size, x.length), x);
}

/** A certificate (§7.2). A node has no address. */
export function certificate(
  keys: NaiveKeys,
  created: number,
  address?: string,
): Octets {
  const body = join(
    unsigned(1, 1),
    address === undefined ? NOTHING : counted(1, ascii(address)),
    unsigned(8, created),
    keys.signing.open,
    keys.agreement.open,
    keys.rsa.open,
  );
  const label = LABEL[address === undefined ? "node" : "account"];
  return join(body, sign(keys.signing.secret, join(ascii(label), body)));
}

/** Reads and verifies a certificate; throws if it does not hold. */
export function readCertificate(
  kind: "account" | "node",
  bytes: Octets,
): NaiveCertificate {
  insist(bytes[0] === 1, "version");
  const length = kind === "node" ? -1 : bytes[1]!;
  const at = 2 + length;
  insist(bytes.length === at + 8 + 32 + 32 + 422 + 64, "length");
  const address = kind === "node"
    ? ""
    : new TextDecoder().decode(bytes.slice(2, at));
  const part = /^[a-z0-9][a-z0-9._-]{0,31}@[a-z0-9][a-z0-9.-]{0,63}$/;
  insist(kind === "node" || part.test(address), "address");
  const created = toBig(bytes.slice(at, at + 8));
  insist(created < 2n ** 53n, "time");
  const signingKey = bytes.slice(at + 8, at + 40);
  const rsaKey = bytes.slice(at + 72, at + 494);
  insist(isRsaKey(rsaKey), "RSA key");
  const signed = join(ascii(LABEL[kind]), bytes.slice(0, -64));
  insist(verify(signingKey, bytes.slice(-64), signed), "signature");
  return {
    address,
    created: Number(created),
    signingKey,
    agreementKey: bytes.slice(at + 40, at + 72),
    rsaKey,
    id: sha256(bytes),
  };
}

function isRsaKey(key: Octets): boolean {
  const head = "308201a2300d06092a864886f70d01010105000382018f00" +
    "3082018a0282018100";
  const hex = key.toHex();
  return hex.startsWith(head) && hex.endsWith("0203010001") &&
    key[head.length / 2]! >= 0x80 && key.at(-6)! % 2 === 1;
}

/** An account's keyring in the clear (§7.3). */
export function keyring(certificate: Octets, keys: NaiveKeys): Octets {
  return join(
    unsigned(1, 1),
    counted(2, certificate),
    keys.signing.secret,
    keys.agreement.secret,
    counted(2, keys.rsa.secret),
  );
}

/** The certificate in a keyring, and its RSA private key and Ed25519 seed. */
export function readKeyring(
  bytes: Octets,
): { certificate: Octets; seed: Octets; pkcs8: Octets } {
  insist(bytes[0] === 1, "version");
  const at = 3 + Number(toBig(bytes.slice(1, 3)));
  const end = at + 66 + Number(toBig(bytes.slice(at + 64, at + 66)));
  insist(end === bytes.length, "end");
  return {
    certificate: bytes.slice(3, at),
    seed: bytes.slice(at, at + 32),
    pkcs8: bytes.slice(at + 66),
  };
}

/** How a passphrase is stretched. */
export interface Cost {
  readonly salt: Octets;
  readonly memory: number;
  readonly passes: number;
}

/** auth and wrap (§7.4). */
export async function stretch(
  passphrase: string,
  { salt, memory, passes }: Cost,
): Promise<{ auth: Octets; wrap: Octets }> {
  const text = ascii(passphrase.normalize("NFC"));
  const master = await argon2(text, salt, memory, passes, 32);
  return {
    auth: hkdf(master, NOTHING, "sotto passphrase auth v1", 32),
    wrap: hkdf(master, NOTHING, "sotto passphrase wrap v1", 32),
  };
}

function binding(address: string, id: Octets, cost: Cost): Octets {
  return join(
    ascii("sotto wrapped keyring v1\0"),
    counted(1, ascii(address)),
    counted(1, id),
    counted(1, cost.salt),
    unsigned(4, cost.memory),
    unsigned(4, cost.passes),
  );
}

/** WRAPPED-KEYS (§7.5). */
export function wrapKeyring(
  bytes: Octets,
  wrap: Octets,
  address: string,
  id: Octets,
  cost: Cost,
): Octets {
  const nonce = random(12);
  const sealed = seal(wrap, nonce, bytes, binding(address, id, cost));
  return join(unsigned(1, 1), nonce, sealed);
}

/** Its inverse. */
export function unwrapKeyring(
  wrapped: Octets,
  wrap: Octets,
  address: string,
  id: Octets,
  cost: Cost,
): Octets {
  insist(wrapped[0] === 1, "version");
  const aad = binding(address, id, cost);
  return open(wrap, wrapped.slice(1, 13), wrapped.slice(13), aad);
}

/** A fingerprint as text in groups (§7.6). */
export function fingerprint(digest: Octets): string {
  const bits = [...digest].map((b) => b.toString(2).padStart(8, "0")).join("");
  const letters = `${bits}0000`.match(/.{5}/g)!
    .map((five) => "abcdefghijklmnopqrstuvwxyz234567"[parseInt(five, 2)]);
  return letters.join("").match(/.{4}/g)!.join(" ");
}

/** What opens or seals a key file (§7.7). */
export type Opener = { readonly passphrase: string } | {
  readonly secret: Octets;
};

/** Seals a key file. */
export async function sealKeyFile(
  kind: string,
  content: Octets,
  opener: Opener,
): Promise<string> {
  const file: Record<string, unknown> = {
    sealed: "",
    salt: Buffer.from(random(16)).toString("base64"),
    nonce: Buffer.from(random(12)).toString("base64"),
    format: "sotto key file",
    kind,
    version: 1,
    method: "secret" in opener ? "secret" : "argon2id",
    ..."secret" in opener ? {} : { passes: 2, memoryKiB: 19_456 },
  };
  const { key, header } = await keyFileKey(file, opener);
  const sealed = seal(key, base64(file.nonce), content, header);
  file.sealed = Buffer.from(sealed).toString("base64");
  return JSON.stringify(file);
}

/** Opens a key file. */
export async function openKeyFile(
  text: string,
  opener: Opener,
): Promise<Octets> {
  const file = JSON.parse(text) as Record<string, unknown>;
  const { key, header } = await keyFileKey(file, opener);
  return open(key, base64(file.nonce), base64(file.sealed), header);
}

async function keyFileKey(
  { kind, method, salt, memoryKiB, passes }: Record<string, unknown>,
  opener: Opener,
): Promise<{ key: Octets; header: Octets }> {
  const cost: Cost = {
    salt: base64(salt),
    memory: Number(memoryKiB),
    passes: Number(passes),
  };
  const header = join(
    ascii("sotto key file v1\0"),
    counted(1, ascii(String(kind))),
    counted(1, ascii(String(method))),
    counted(1, cost.salt),
    method === "secret"
      ? NOTHING
      : join(unsigned(4, cost.memory), unsigned(4, cost.passes)),
  );
  const key = "secret" in opener
    ? hkdf(opener.secret, cost.salt, "sotto key file secret v1", 32)
    : (await stretch(opener.passphrase, cost)).wrap;
  return { key, header };
}

function base64(text: unknown): Octets {
  return new Uint8Array(Buffer.from(String(text), "base64"));
}

/** The digits and the numbers of the words of a safety number (§7.8). */
export async function safetyNumber(
  ...certificates: readonly [Octets, Octets]
): Promise<{ digits: string; words: number[] }> {
  const halves = await Promise.all(certificates.map(async (each) => {
    const d = await argon2(each, ascii("sotto safety v1\0"), 19_456, 2, 36);
    const digits = [0, 1, 2, 3, 4, 5].map((i) =>
      (toBig(d.slice(5 * i, 5 * i + 5)) % 100_000n).toString().padStart(5, "0")
    ).join("");
    const b = toBig(d.slice(30, 36));
    const words = [0n, 1n, 2n, 3n].map((i) => Number((b >> 11n * i) % 2_048n));
    return { digits, words };
  }));
  if (halves[1]!.digits < halves[0]!.digits) halves.reverse();
  return {
    digits: halves.map(({ digits }) => digits).join(""),
    words: halves.flatMap(({ words }) => words),
  };
}

function insist(holds: boolean, what: string): void {
  if (!holds) throw new Error(`the ${what} does not hold`);
}
