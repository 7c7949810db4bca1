import type { ServerAddress } from "../../lib/identity/mod.ts";
import {
  formatServerAddress,
  parseAddress,
  parseServerAddress,
  readPrivateFile,
} from "../../lib/identity/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { CommandError } from "../errors.ts";

/** What account.json holds. */
export interface ProfileAccount {
  readonly address: string;
  readonly server: ServerAddress;
  readonly interactive: boolean;
  /** Whether its server is always reached through the onion. */
  readonly onion: boolean;
  /** SPKI, 422 bytes. */
  readonly usrKey: Bytes;
}

/** The account of a profile, which is no secret. @throws {CommandError} if there is none. */
export async function readAccount(
  directory: string,
  name: string | undefined,
): Promise<ProfileAccount> {
  const path = `${directory}/account.json`;
  let text: string;
  try {
    text = await readPrivateFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) {
      throw new CommandError(`Cannot use ${path}`, { cause });
    }
    const which = name === undefined ? "" : ` --profile ${name}`;
    throw new CommandError(
      name === undefined
        ? "Cannot tell who you are: there is no account on this machine yet"
        : `Cannot use the profile ${name}: there is none`,
      {
        hint:
          `sotto client register NAME --server HOST${which}, or sotto client login NAME@ZONE --server HOST${which}`,
      },
    );
  }
  try {
    return parseAccount(text);
  } catch (cause) {
    throw new CommandError(`Cannot use ${path}: it is damaged`, { cause });
  }
}

/** Inverse of `formatAccount`. @throws {SyntaxError | MalformedError} if it is none. */
export function parseAccount(text: string): ProfileAccount {
  const { address, server, interactive, onion, usrKey } = JSON.parse(text);
  return {
    address: parseAddress(String(address)).address,
    server: parseServerAddress(String(server)),
    interactive: interactive === true,
    onion: onion === true,
    usrKey: Uint8Array.fromBase64(String(usrKey)),
  };
}

/** The text of account.json. */
export function formatAccount(account: ProfileAccount): string {
  return `${
    JSON.stringify(
      {
        address: account.address,
        server: formatServerAddress(account.server),
        interactive: account.interactive,
        onion: account.onion,
        usrKey: account.usrKey.toBase64(),
      },
      null,
      2,
    )
  }\n`;
}
