import type { Bytes } from "../protocol/mod.ts";
import { CommandWriter, utf8 } from "../protocol/mod.ts";
import type { Keyring, NodeCertificate } from "../identity/mod.ts";
import { stretch } from "../identity/mod.ts";
import type { ClientSession } from "./client_session.ts";
import {
  CHANGE_PASSPHRASE,
  CREDENTIALS,
  DELETE_ACCOUNT,
  OLD_CREDENTIALS,
  PREPARE,
  USERNAME,
} from "./commands.ts";
import { sealCredentials } from "./credentials.ts";
import {
  NO_INVITE,
  stretchingOf,
  writePassphrase,
} from "./passphrase_record.ts";

/**
 * Replaces the passphrase. The keys stay as they are and are wrapped anew; nothing else changes.
 *
 * @throws {AccountError} "credentials" if the old passphrase is wrong.
 */
export async function changePassphrase(
  session: ClientSession,
  node: NodeCertificate,
  keyring: Keyring,
  { before, after }: { before: string; after: string },
): Promise<void> {
  const old = await provePassphrase(session, node, before);
  const writer = new CommandWriter(8_192).set(OLD_CREDENTIALS, old);
  const auth = await writePassphrase(writer, keyring, after);
  writer.set(
    CREDENTIALS,
    await sealCredentials(node, session.channelHash, {
      auth,
      invite: NO_INVITE,
    }),
  );
  await session.request(writer.verb(CHANGE_PASSPHRASE).done());
}

/**
 * Deletes the account at the server, with all that waits there. The name is never given away again.
 *
 * @param passphrase needed for an interactive account.
 */
export async function deleteAccount(
  session: ClientSession,
  node: NodeCertificate,
  address: string,
  passphrase: string | undefined,
): Promise<void> {
  const writer = new CommandWriter(1_024).set(USERNAME, utf8(address));
  if (passphrase !== undefined) {
    writer.set(CREDENTIALS, await provePassphrase(session, node, passphrase));
  }
  await session.request(writer.verb(DELETE_ACCOUNT).done());
}

/** CREDENTIALS of a passphrase for the account that has logged in. */
async function provePassphrase(
  session: ClientSession,
  node: NodeCertificate,
  passphrase: string,
): Promise<Bytes> {
  const { salt, cost } = stretchingOf(
    await session.request(new CommandWriter().verb(PREPARE).done()),
  );
  const { auth } = await stretch(passphrase, salt, cost);
  return await sealCredentials(node, session.channelHash, {
    auth,
    invite: NO_INVITE,
  });
}
