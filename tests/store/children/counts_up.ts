/**
 * Adds one to a record of a vault, again and again, beside others that do the same. Tells how often
 * another one was quicker.
 *
 * Arguments: the path of the vault, its key in hexadecimal digits, how often to add.
 *
 * @module
 */
import { importAead, u32 } from "../../../lib/protocol/mod.ts";
import { Vault } from "../../../lib/store/mod.ts";
import { tell } from "./line.ts";

const [path, key, times] = Deno.args;
const vault = await Vault.open(
  path!,
  await importAead(Uint8Array.fromHex(key!)),
);
let lost = 0;
for (let n = 0; n < Number(times);) {
  const record = await vault.get("count", "it");
  const count = record === undefined
    ? 0
    : new DataView(record.body.buffer).getUint32(0);
  const isMade = await vault.commit([{
    kind: "count",
    key: "it",
    expect: record?.version ?? 0,
    body: u32(count + 1),
  }]);
  if (isMade) n++;
  else lost++;
}
vault.close();
tell(`${lost}`);
