/**
 * Adds letters to a server's database for ever, from 16 callers, and acknowledges every third. Tells
 * `+ID` when a letter was stored, `~ID` before it is acknowledged, `-ID` when it was.
 *
 * Arguments: the path of the database.
 *
 * @module
 */
import { SqliteServerStore } from "../../../lib/store/mod.ts";
import { accountSample, AMPLE, letterSample } from "../cases/samples.ts";
import { tell } from "./line.ts";

const CALLERS = 16;

async function call(store: SqliteServerStore): Promise<void> {
  for (let n = 1;; n++) {
    const letter = letterSample("bob", "ada");
    const id = letter.letterId.toHex();
    const { outcome, sequence } = await store.letters.add(letter, AMPLE);
    if (outcome !== "stored") throw new Error(outcome);
    tell(`+${id}`);
    if (n % 3 !== 0) continue;
    tell(`~${id}`);
    if (await store.letters.acknowledge("ada", [sequence]) !== 1) {
      throw new Error("the letter was not there");
    }
    tell(`-${id}`);
  }
}

const store = await SqliteServerStore.open(Deno.args[0]!);
await store.accounts.create(accountSample("ada"), null);
await Promise.all(Array.from({ length: CALLERS }, () => call(store)));
