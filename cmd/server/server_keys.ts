import { generateNodeKeyring } from "../../lib/identity/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import type { Io } from "../io.ts";
import { createKeyFile, exists, openNodeKeyring } from "../key_file.ts";
import type { ProtectionFlags } from "../key_file.ts";

/**
 * The keys of the server in `directory`, or those that `--key` names. Where there are none yet they
 * are made; unless the flags say otherwise, they are sealed by a secret that lies beside them, so that
 * the server starts without a person.
 */
export async function openServerKeys(
  io: Io,
  flags: ProtectionFlags & { readonly key: string | undefined },
  directory: string,
): Promise<NodeKeyring> {
  const path = flags.key ?? `${directory}/server.key`;
  const protection = flags["passphrase-file"] === undefined &&
      flags["secret-file"] === undefined &&
      (flags.key === undefined || await exists(`${directory}/server.secret`))
    ? { ...flags, "secret-file": `${directory}/server.secret` }
    : flags;
  if (flags.key !== undefined || await exists(path)) {
    return await openNodeKeyring(io, protection, path);
  }
  const made = await createKeyFile(io, protection, path, async () => ({
    kind: "node",
    keyring: await generateNodeKeyring(Math.floor(io.now() / 1_000)),
  }));
  if (made.kind !== "node") throw new RangeError("Cannot use the keys made");
  return made.keyring;
}
