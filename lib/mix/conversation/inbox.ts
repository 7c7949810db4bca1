import type {
  Acknowledgement,
  PeerMessage,
  SequenceSet,
  Text,
  TextAssembly,
} from "../../peer/mod.ts";
import {
  acknowledge,
  addSequences,
  addTextPart,
  EMPTY_ASSEMBLY,
  hasSequence,
  MessageType,
  NO_SEQUENCES,
} from "../../peer/mod.ts";

/** So many messages may be on the way at once: what is more than that beyond the first missing one is refused. */
export const WINDOW = 32;

/**
 * What has come of the numbered messages of one side: each is taken in once, and given out in the order
 * of its number. At most 31 wait for those before them, and 1,024 parts for the rest of their texts.
 */
export class Inbox {
  #received: SequenceSet = NO_SEQUENCES;
  readonly #waiting = new Map<number, PeerMessage>();
  #assembly: TextAssembly = EMPTY_ASSEMBLY;
  /** Number of the last TEXT given out among TEXTs alone: parts of one text follow each other in it. */
  #ordinal = 0;

  /** What to say to the other side about it. */
  get acknowledgement(): Acknowledgement {
    return acknowledge(this.#received);
  }

  /** Whether that number lies within the window. */
  fits(seq: number): boolean {
    return seq <= this.#received.cumulative + WINDOW;
  }

  /** Whether that number has come before. */
  has(seq: number): boolean {
    return hasSequence(this.#received, seq);
  }

  /**
   * Takes in a numbered message that fits and has not come before.
   *
   * @returns texts that are whole now, and HANGUPs, in their order.
   */
  take(message: PeerMessage): readonly (Text | PeerMessage)[] {
    const before = this.#received.cumulative;
    this.#received = addSequences(this.#received, message.seq, message.seq);
    this.#waiting.set(message.seq, message);
    const given: (Text | PeerMessage)[] = [];
    for (let seq = before + 1; seq <= this.#received.cumulative; seq++) {
      const next = this.#waiting.get(seq)!;
      this.#waiting.delete(seq);
      if (next.type === MessageType.HANGUP) given.push(next);
      if (next.type !== MessageType.TEXT) continue;
      const text = this.#join(next);
      if (text !== null) given.push(text);
    }
    return given;
  }

  #join({ flags, payload }: PeerMessage): Text | null {
    const { assembly, text } = addTextPart(this.#assembly, {
      seq: ++this.#ordinal,
      flags,
      payload,
    });
    this.#assembly = assembly;
    return text;
  }
}
