import type { AnyCertificate } from "../../lib/identity/mod.ts";
import { parseCertificateText } from "../../lib/identity/mod.ts";
import { CommandError } from "../errors.ts";
import type { FlagTable } from "../flags.ts";
import type { Io } from "../io.ts";
import type { AnyKeyring, ProtectionFlags } from "../key_file.ts";
import { openAnyKeyring, PROTECTION_FLAGS, readKeyFile } from "../key_file.ts";

/** The flags of every command that reads a key file or certificate. */
export const SOURCE_FLAGS = {
  ...PROTECTION_FLAGS,
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const satisfies FlagTable;

/** What a file held: a certificate alone, or a keyring with its certificate. */
export interface Source {
  readonly shown: AnyCertificate;
  readonly opened?: AnyKeyring;
}

/**
 * Reads a certificate, or opens a key file.
 *
 * @throws {CommandError} if it is neither or cannot be opened.
 */
export async function readSource(
  io: Io,
  flags: ProtectionFlags,
  path: string,
): Promise<Source> {
  if (await holdsCertificate(path)) {
    try {
      return {
        shown: await parseCertificateText(await Deno.readTextFile(path)),
      };
    } catch (cause) {
      throw new CommandError(`Cannot use ${path}`, { cause });
    }
  }
  const opened = await openAnyKeyring(io, flags, await readKeyFile(path));
  return { shown: certificateOf(opened), opened };
}

/** The certificate of a keyring. */
export function certificateOf({ kind, keyring }: AnyKeyring): AnyCertificate {
  return kind === "account"
    ? { kind, certificate: keyring.certificate }
    : { kind, certificate: keyring.certificate };
}

/** A certificate is text for everybody, a key file is not: only the latter has to be private. */
async function holdsCertificate(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    // Of a pipe nothing may be read here: it would be missing afterwards.
    if (!(await file.stat()).isFile) return false;
    const start = new Uint8Array(4096);
    const count = await file.read(start) ?? 0;
    const text = new TextDecoder().decode(start.subarray(0, count));
    return /^-----BEGIN /m.test(text);
  } catch (cause) {
    throw new CommandError(`Cannot read ${path}`, { cause });
  }
}
