import type { HangUpReason } from "../conversation/conversation_event.ts";
import { forget } from "./connector.ts";
import type { Connection } from "./connector.ts";
import type { LineEvent } from "./line_event.ts";

/** So many conversations that end are seen to their end at once; the oldest is dropped for one more. */
const PARTING_LIMIT = 8;

/** With whom, and why, if it is a refusal. */
interface Parting {
  readonly address: string;
  readonly refusal: Exclude<HangUpReason, "bye"> | undefined;
}

/**
 * Conversations that are over for the user and go on for some rounds, so that the other side learns it:
 * refusals, and those that the other side has ended, until it knows that this is known.
 */
export class Partings {
  readonly #held = new Map<Connection, Parting>();
  readonly #tell: (event: LineEvent) => void;
  readonly #onMeeting: (address: string, round: number) => void;

  /**
   * @param tell told of rounds, which cost what any others cost.
   * @param onMeeting told of every round in which the other side was there.
   */
  constructor(
    tell: (event: LineEvent) => void,
    onMeeting: (address: string, round: number) => void,
  ) {
    this.#tell = tell;
    this.#onMeeting = onMeeting;
  }

  /** All of them. */
  get connections(): readonly Connection[] {
    return [...this.#held.keys()];
  }

  /** Why that person is being refused, if so. */
  refusalOf(address: string): Parting["refusal"] {
    for (const parting of this.#held.values()) {
      if (parting.address === address && parting.refusal !== undefined) {
        return parting.refusal;
      }
    }
    return undefined;
  }

  /** Sees a conversation to its end. A refusal takes the place of one before. */
  add(
    address: string,
    connection: Connection,
    refusal?: Exclude<HangUpReason, "bye">,
  ): void {
    for (const [other, parting] of this.#held) {
      const replaced = refusal !== undefined && parting.address === address &&
        parting.refusal !== undefined;
      if (replaced) this.#drop(other);
    }
    const [oldest] = this.#held.keys();
    if (oldest !== undefined && this.#held.size >= PARTING_LIMIT) {
      this.#drop(oldest);
    }
    this.#held.set(connection, { address, refusal });
    connection.listener = (event) => {
      if (event.kind === "over") this.#held.delete(connection);
      if (event.kind !== "round") return;
      if (event.outcome === "exchanged") this.#onMeeting(address, event.round);
      this.#tell({ ...event, address });
    };
    if (connection.conversation.over) this.#held.delete(connection);
  }

  #drop(connection: Connection): void {
    this.#held.delete(connection);
    forget(connection);
  }
}
