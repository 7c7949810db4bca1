import type { Verb } from "../protocol/mod.ts";
import { Vocabulary } from "../protocol/mod.ts";

/** Stands for every verb that this server does not know. */
const UNKNOWN: Verb = {
  id: 0xffff,
  name: "UNKNOWN",
  meaning: "a command of a later version",
};

/**
 * The commands that a server knows inside submissions. Elsewhere an unknown verb is skipped without a
 * word (S2.8); here every verb is owed an answer, or the answers of those around it would be taken for
 * one another's. So an unknown one comes out as a verb that no service answers.
 */
export class RequestVocabulary extends Vocabulary {
  /** The verb of this id; UNKNOWN if there is none. */
  override verb(id: number): Verb {
    return super.verb(id) ?? UNKNOWN;
  }
}
