import {
  exportPrivateKey,
  exportPublicKey,
  KEY_USES,
  privateKeyFor,
  publicKeyFor,
} from "../../lib/identity/mod.ts";
import { parseChoice } from "../choice.ts";
import { CommandError, UsageError } from "../errors.ts";
import { parseFlags } from "../flags.ts";
import type { Io } from "../io.ts";
import { createFile } from "../key_file.ts";
import { writePublic } from "./output.ts";
import { readSource, SOURCE_FLAGS } from "./source.ts";

/** Help for `sotto keygen export`. */
export const usage =
  `sotto keygen export writes one key in a format that other programs read.

Usage: sotto keygen export FILE --key KEY [--format pem|jwk] [--private] [--out FILE]
                           [--passphrase-file FILE | --secret-file FILE]

FILE is a key file or a certificate. KEY is one of
  signing       Ed25519
  agreement     X25519
  encryption    RSA, 3,072 bits, for OAEP with SHA-256

Flags:
  --format pem  SubjectPublicKeyInfo or PKCS#8 in PEM, as openssl has them (the default)
  --format jwk  JSON Web Key, with its thumbprint as kid
  --private     the private key, IN THE CLEAR; the file is readable by you alone
  --out FILE    where to write; a file that exists is never overwritten. Without it: standard output

Examples:
  sotto keygen export server.cert --key signing
  sotto keygen export bot.key --key encryption --private --out bot.pem
  sotto keygen export bot.key --key signing --format jwk
`;

const FLAGS = {
  ...SOURCE_FLAGS,
  key: { type: "string" },
  format: { type: "string" },
  private: { type: "boolean" },
  out: { type: "string" },
} as const;

/** `sotto keygen export`. */
export async function run(args: string[], io: Io): Promise<number> {
  const shape = { least: 1, shape: "FILE" };
  const { flags, operands } = parseFlags(args, FLAGS, shape);
  const path = operands[0]!;
  if (flags.key === undefined) {
    throw new UsageError("--key is missing", {
      hint: `one of ${KEY_USES.join(", ")}`,
    });
  }
  const use = parseChoice("--key", flags.key, KEY_USES);
  const format = parseChoice("--format", flags.format ?? "pem", ["pem", "jwk"]);
  const { shown, opened } = await readSource(io, flags, path);
  if (!flags.private) {
    const key = publicKeyFor(shown.certificate, use);
    await writePublic(io, flags.out, await exportPublicKey(key, format));
    return 0;
  }
  if (opened === undefined) {
    throw new CommandError(`Cannot export a private key: ${path} holds none`);
  }
  const key = privateKeyFor(opened.keyring, use);
  const text = await exportPrivateKey(key, format);
  if (flags.out === undefined) await io.stdout.write(text);
  else await createFile(flags.out, text);
  return 0;
}
