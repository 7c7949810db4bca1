import { utf8 } from "../../lib/protocol/mod.ts";
import type { Dictionary } from "./inputs.ts";
import type { Random } from "./random.ts";
import type { Resident, Target } from "./target.ts";

/** What an attack works with. */
export interface Attacker {
  readonly target: Target;
  readonly random: Random;
  /** An account of the attacker's. */
  readonly resident: Resident;
  /** Addresses that have accounts, and some that have none. */
  readonly addresses: readonly string[];
}

/** What is worth trying in the place of a value, and which verbs are not. */
export function dictionaryOf({ resident, addresses }: Attacker): Dictionary {
  const { certificate } = resident.keyring;
  return {
    // It would end the attacker's own account.
    without: new Set(["DELETE-ACCOUNT"]),
    honest: false,
    words: [
      ...addresses.map(utf8),
      utf8("\ufeffx@test"),
      Uint8Array.fromHex("ff80"),
      new Uint8Array(0),
      certificate.bytes,
      resident.usrKey,
      new Uint8Array(546).fill(7),
      new Uint8Array(1_710).fill(7),
      new Uint8Array(1_329).fill(7),
      new Uint8Array(384).fill(7),
      new Uint8Array(72).fill(0xff),
    ],
  };
}
