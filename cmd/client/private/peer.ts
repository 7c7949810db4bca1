import { PrivacyBudget } from "../../../lib/mix/mod.ts";
import type { TextState } from "../../../lib/mix/mod.ts";

/** One's own text on its way. */
export interface OwnText {
  readonly text: string;
  /** When it was written, in milliseconds since 1970. */
  readonly at: number;
  /** As the line calls it; `undefined` while the other person has not answered. */
  id: string | undefined;
  state: TextState | "lost";
  round: number | undefined;
  /** Where it stands on the screen. */
  line: number | undefined;
}

/** Somebody with whom one talks, or wants to. */
export class Peer {
  /** `name@zone`. */
  readonly address: string;
  /** The same for people. */
  readonly name: string;
  /** What the rounds with them have cost. */
  readonly budget = new PrivacyBudget();
  /** One's own texts, the oldest first. */
  readonly texts: OwnText[] = [];
  /** See `ConversationView`; `over` when it has ended. */
  stage: "calling" | "answering" | "talking" | "leaving" | "over" = "calling";
  /** Whether they have answered. */
  wasThere = false;
  /** See `ConversationView`. */
  generation = 0;
  /** Rounds in a row in which they were not there. */
  absent = 0;

  constructor(address: string, name: string) {
    this.address = address;
    this.name = name;
  }

  /** Own texts that may still arrive. */
  get waiting(): readonly OwnText[] {
    return this.texts.filter(({ state }) =>
      state !== "delivered" && state !== "lost"
    );
  }

  /** Own texts that wait here for the other person's answer. */
  get kept(): readonly OwnText[] {
    return this.waiting.filter(({ id }) => id === undefined);
  }

  /** The text with this id. */
  text(id: string): OwnText | undefined {
    return this.texts.find((each) => each.id === id);
  }

  /** What stands in the prompt behind the name. */
  get standing(): string {
    const { stage, generation } = this;
    if (stage !== "talking") return stage;
    if (generation === 0) return "securing";
    return generation === 1 ? "private" : "private, quantum-safe";
  }
}
