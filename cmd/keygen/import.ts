import type {
  ExchangedPrivateKey,
  KeyFormat,
  KeyPairs,
} from "../../lib/identity/mod.ts";
import {
  assembleKeyring,
  assembleNodeKeyring,
  importPrivateKeys,
} from "../../lib/identity/mod.ts";
import { parseChoice } from "../choice.ts";
import { CommandError, UsageError } from "../errors.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import type { AnyKeyring } from "../key_file.ts";
import { createKeyFile, PROTECTION_FLAGS, readPrivate } from "../key_file.ts";
import { addressOf } from "./address.ts";
import { NEW_KEY_FLAGS, outOf, secondsNow } from "./new_key.ts";
import { certificateOf } from "./source.ts";
import { printSummary } from "./summary.ts";

/** Help for `sotto keygen import`. */
export const usage =
  `sotto keygen import makes a key file of private keys that were made elsewhere.

Usage: sotto keygen import node KEYFILE... --out FILE [--format pem|jwk]
       sotto keygen import account NAME@ZONE KEYFILE... --out FILE [--format pem|jwk]
       and [--passphrase-file FILE | --secret-file FILE] [--json]

The KEYFILEs hold three private keys between them, in any order: Ed25519, X25519, and RSA with 3,072
bits and exponent 65,537. PEM is PKCS#8, as openssl genpkey writes it; a JWK may be a set. They must
be readable by you alone.

Example:
  umask 077
  openssl genpkey -algorithm ed25519 -out signing.pem
  openssl genpkey -algorithm x25519 -out agreement.pem
  openssl genpkey -algorithm rsa -pkeyopt rsa_keygen_bits:3072 -out encryption.pem
  sotto keygen import node signing.pem agreement.pem encryption.pem --out server.key
`;

const FLAGS = {
  ...NEW_KEY_FLAGS,
  ...PROTECTION_FLAGS,
  format: { type: "string" },
} as const;

/** `sotto keygen import`. */
export async function run(args: string[], io: Io): Promise<number> {
  const { flags, operands } = parseFlags(args, FLAGS, {
    least: 2,
    most: Infinity,
    shape: "node KEYFILE... or account NAME@ZONE KEYFILE...",
  });
  const path = outOf(flags.out);
  const format = parseChoice("--format", flags.format ?? "pem", ["pem", "jwk"]);
  const [first, ...rest] = operands;
  const kind = parseKind(first!);
  const address = kind === "account" ? addressOf(rest.shift()!) : undefined;
  const pairs = joinPairs(await readKeys(rest, format));
  const now = secondsNow(io);
  const make = async (): Promise<AnyKeyring> =>
    address === undefined
      ? { kind: "node", keyring: await assembleNodeKeyring(now, pairs) }
      : {
        kind: "account",
        keyring: await assembleKeyring(address, now, pairs),
      };
  const made = await createKeyFile(io, flags, path, make);
  if (!flags.quiet) {
    const shown = certificateOf(made);
    await printSummary(io, { shown, hasPrivateKeys: true }, flags.json);
  }
  return 0;
}

function parseKind(text: string): "node" | "account" {
  if (text === "node" || text === "account") return text;
  throw new UsageError(`cannot import a ${text}`, {
    hint: "the first argument is node or account",
  });
}

async function readKeys(
  paths: readonly string[],
  format: KeyFormat,
): Promise<ExchangedPrivateKey[]> {
  const keys: ExchangedPrivateKey[] = [];
  for (const path of paths) {
    const text = await readPrivate(path);
    try {
      keys.push(...await importPrivateKeys(text, format));
    } catch (cause) {
      throw new CommandError(`Cannot use ${path}`, { cause });
    }
  }
  return keys;
}

/** Exactly one key for each use. */
function joinPairs(keys: readonly ExchangedPrivateKey[]): KeyPairs {
  const pairs: {
    signing?: KeyPairs["signing"];
    dh?: KeyPairs["dh"];
    rsa?: KeyPairs["rsa"];
  } = {};
  for (const key of keys) {
    if (key.use === "signing") pairs.signing = key.pair;
    if (key.use === "agreement") pairs.dh = key.pair;
    if (key.use === "encryption") pairs.rsa = key.pair;
  }
  const { signing, dh, rsa } = pairs;
  if (keys.length !== 3 || !signing || !dh || !rsa) {
    const seen = keys.map((key) => key.use).join(", ") || "none";
    throw new CommandError(
      `Cannot make a key file: of the private keys signing, agreement and encryption there must be one each, here are ${seen}`,
    );
  }
  return { signing, dh, rsa };
}
