import { importAead, randomBytes } from "../../lib/protocol/mod.ts";
import { Vault } from "../../lib/store/mod.ts";
import { withFolder } from "./folder.ts";

/** Gives `body` an open, empty vault, and a way to close and open it again. */
export async function withVault(
  body: (vault: Vault, reopen: () => Promise<Vault>) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const key = await importAead(randomBytes(32));
    const open = () => Vault.open(`${folder}/vault.db`, key);
    let vault = await open();
    try {
      await body(vault, async () => {
        vault.close();
        vault = await open();
        return vault;
      });
    } finally {
      vault.close();
    }
  });
}
