/**
 * Changes records of a vault for ever: each of 8 callers has two, which it changes together. Tells
 * `CALLER VERSION` after a commit.
 *
 * Arguments: the path of the vault, its key in hexadecimal digits.
 *
 * @module
 */
import { importAead, u32 } from "../../../lib/protocol/mod.ts";
import { Vault } from "../../../lib/store/mod.ts";
import { tell } from "./line.ts";

const CALLERS = 8;

async function call(vault: Vault, caller: number): Promise<void> {
  let version = (await vault.get("left", `${caller}`))?.version ?? 0;
  for (;; version++) {
    const change = {
      key: `${caller}`,
      expect: version,
      body: u32(version + 1),
    };
    const isMade = await vault.commit([
      { kind: "left", ...change },
      { kind: "right", ...change },
    ]);
    if (!isMade) throw new Error("somebody else changed a record");
    tell(`${caller} ${version + 1}`);
  }
}

const [path, key] = Deno.args;
const vault = await Vault.open(
  path!,
  await importAead(Uint8Array.fromHex(key!)),
);
await Promise.all(
  Array.from({ length: CALLERS }, (_, caller) => call(vault, caller)),
);
