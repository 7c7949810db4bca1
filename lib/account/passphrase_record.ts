import type {
  Argon2Cost,
  Bytes,
  CommandWriter,
  Message,
} from "../protocol/mod.ts";
import { randomBytes } from "../protocol/mod.ts";
import type { Keyring, Stretched } from "../identity/mod.ts";
import {
  DEFAULT_COST,
  encodeKeyring,
  SALT_BYTES,
  stretch,
  wrapKeyring,
} from "../identity/mod.ts";
import { KDF_MEMORY, KDF_PASSES, KDF_SALT, WRAPPED_KEYS } from "./commands.ts";

/** What CREDENTIALS hold where no invite is asked for. */
export const NO_INVITE: Bytes = new Uint8Array(0);

/** Sets what the server keeps of a passphrase; the part that proves it. */
export async function writePassphrase(
  writer: CommandWriter,
  keyring: Keyring,
  passphrase: string,
): Promise<Bytes> {
  const { address, id: certificateId } = keyring.certificate;
  const salt = randomBytes(SALT_BYTES);
  const cost: Argon2Cost = DEFAULT_COST;
  const { auth, wrapKey }: Stretched = await stretch(passphrase, salt, cost);
  const wrapped = await wrapKeyring(await encodeKeyring(keyring), wrapKey, {
    address,
    certificateId,
    salt,
    cost,
  });
  writer.set(WRAPPED_KEYS, wrapped).set(KDF_SALT, salt)
    .set(KDF_MEMORY, cost.memoryKiB).set(KDF_PASSES, cost.passes);
  return auth;
}

/** How a passphrase is stretched, as PREPARED says. */
export function stretchingOf(
  message: Message,
): { salt: Bytes; cost: Argon2Cost } {
  return {
    salt: message.need(KDF_SALT),
    cost: {
      memoryKiB: message.need(KDF_MEMORY),
      passes: message.need(KDF_PASSES),
    },
  };
}
