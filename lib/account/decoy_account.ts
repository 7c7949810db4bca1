import type { NodeKeyring } from "../identity/mod.ts";
import { assembleKeyring } from "../identity/mod.ts";
import type { Account } from "../store/mod.ts";
import type { UsrKeys } from "./usr_keys.ts";

/** An account that nobody has: it stands in for unknown ones, so that they cost the same work. */
export async function decoyAccount(
  node: NodeKeyring,
  usrKeys: UsrKeys,
): Promise<Account> {
  const { certificate } = await assembleKeyring("nobody@nowhere", 0, node);
  const usr = await usrKeys.seal(node.rsa, certificate.id);
  return {
    address: certificate.address,
    kind: "non-interactive",
    certificate: certificate.bytes,
    certificateId: certificate.id,
    authSalt: null,
    authHash: null,
    kdfSalt: null,
    kdfMemoryKiB: null,
    kdfPasses: null,
    wrappedKeys: null,
    usrPublic: usr.publicKey,
    usrPrivateWrapped: usr.wrapped,
    device: null,
    createdAt: 0,
  };
}
