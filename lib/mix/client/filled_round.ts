import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { equalConstantTime } from "../../protocol/mod.ts";
import { RoundKind } from "../round.ts";
import { DROP_ID_BYTES } from "../sizes.ts";
import { Permutation } from "../shuffle/permutation.ts";
import type { PlannedRound } from "./round_planner.ts";
import type { MadeOnions, RunOnions } from "./run_onions.ts";
import { dialCover, exchangeCover } from "./slot_contents.ts";
import type { Content } from "./slot_contents.ts";
import type { Loss } from "./sources.ts";

/** A round of this client whose onions are made: what is in each slot, and who is to be told of it. */
export class FilledRound {
  /** Which round it is, and when it is handed in. */
  readonly planned: PlannedRound;
  /** What is handed in. */
  readonly made: MadeOnions;
  readonly #contents: ReadonlyMap<number, Content>;
  readonly #covers: ReadonlyMap<number, Bytes>;
  #isOver = false;

  private constructor(
    planned: PlannedRound,
    made: MadeOnions,
    contents: ReadonlyMap<number, Content>,
    covers: ReadonlyMap<number, Bytes>,
  ) {
    this.planned = planned;
    this.made = made;
    this.#contents = contents;
    this.#covers = covers;
  }

  /**
   * Puts contents into slots drawn at random, and cover into the others.
   *
   * @param contents no more than there are slots that carry something.
   * @throws {CryptoError} if an onion cannot be made.
   */
  static async fill(
    planned: PlannedRound,
    onions: RunOnions,
    contents: readonly Content[],
    random: RandomSource,
  ): Promise<FilledRound> {
    const { round, index } = planned;
    const carriers = onions.carriers(index);
    const order = Permutation.random(carriers.length, random);
    const drawn = order.apply(Uint8Array.from(carriers), 1);
    order.erase();
    const placed = new Map<number, Content>();
    const covers = new Map<number, Bytes>();
    drawn.forEach((slot, i) => {
      const content = contents[i];
      if (content !== undefined) placed.set(slot, content);
      else {
        const isExchange = round.kind === RoundKind.EXCHANGE;
        covers.set(
          slot,
          isExchange ? exchangeCover(random) : dialCover(random),
        );
      }
    });
    const payloads = new Map(covers);
    for (const [slot, { payload }] of placed) payloads.set(slot, payload);
    const made = await onions.make(index, payloads);
    return new FilledRound(planned, made, placed, covers);
  }

  /** How many slots carry something of a source. */
  get real(): number {
    return this.#contents.size;
  }

  /** Nothing will come. Nothing happens if this or `answered` was called before. */
  lost(why: Loss): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const content of this.#contents.values()) content.lost(why);
  }

  /**
   * The round is over: every content is told what came back. How many covers did not come back as they
   * went, though nobody but this client knows where they were left.
   *
   * @param replies as many and as long as they must be.
   * @param checksCovers whether covers are looked at.
   */
  async answered(replies: Bytes, checksCovers: boolean): Promise<number> {
    if (this.#isOver) return 0;
    this.#isOver = true;
    if (this.made.reply === 0) {
      for (const content of this.#contents.values()) {
        content.taken(new Uint8Array(0));
      }
      return 0;
    }
    // Of circuits that are set up it must be known which of them stand.
    const wanted = checksCovers || this.real > 0 || this.#covers.size === 0;
    const opened = wanted ? await this.made.open(replies) : [];
    for (const [slot, content] of this.#contents) {
      const reply = opened[slot];
      if (reply === undefined) content.lost("failed");
      else content.taken(reply);
    }
    if (!checksCovers) return 0;
    let missing = 0;
    for (const [slot, cover] of this.#covers) {
      const reply = opened[slot];
      const came = reply !== undefined &&
        equalConstantTime(reply, cover.subarray(DROP_ID_BYTES));
      if (!came) missing++;
    }
    return missing;
  }
}
