import { generateNodeKeyring } from "../../lib/identity/mod.ts";
import type { NodeKeyring } from "../../lib/identity/mod.ts";
import type { Io } from "../io.ts";
import { createKeyFile, exists, openNodeKeyring } from "../key_file.ts";
import type { ProtectionFlags } from "../key_file.ts";

/**
 * The keys of the node in `directory`, or those that `--key` names. Where there are none yet they
 * are made; unless the flags say otherwise, they are sealed by a secret that lies beside them, so that
 * the node starts without a person.
 *
 * @param name of the node's files: `NAME.key` and `NAME.secret`.
 */
export async function openServerKeys(
  io: Io,
  flags: ProtectionFlags & { readonly key: string | undefined },
  directory: string,
  name = "server",
): Promise<NodeKeyring> {
  const path = flags.key ?? `${directory}/${name}.key`;
  const protection = flags["passphrase-file"] === undefined &&
      flags["secret-file"] === undefined &&
      (flags.key === undefined || await exists(`${directory}/${name}.secret`))
    ? { ...flags, "secret-file": `${directory}/${name}.secret` }
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
