import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { concat, u32 } from "../../protocol/mod.ts";
import { bucketOf, NOBODY } from "../dialing/buckets.ts";
import type { PlannedRound } from "./round_planner.ts";
import {
  DIAL_BYTES,
  EXCHANGE_BYTES,
  SEALED_BYTES,
  TOKEN_BYTES,
} from "../sizes.ts";
import type { DialSource, ExchangeSource, Loss } from "./sources.ts";

/** What takes one slot, of whichever kind of round. Exactly one of the two functions is called, once; neither throws. */
export interface Content {
  /** What the last mix finds. */
  readonly payload: Bytes;
  /** It was taken; `reply` is what came back, empty in a dialing round. */
  taken(reply: Bytes): void;
  /** It was not, or nobody knows. */
  lost(why: Loss): void;
}

/** What goes into a round, at most `slots` contents. */
export type Filler = (
  planned: PlannedRound,
  slots: number,
) => Promise<readonly Content[]>;

/**
 * A source of exchanges as a filler. What is more than fits, or has another length, is lost.
 *
 * @param fault told if the source throws when it is told what came of something; rounds go on.
 */
export function exchangeFiller(
  source: ExchangeSource,
  fault: (error: unknown) => void,
): Filler {
  return async ({ round }, slots) => {
    const exchanges = await source.outgoing(round, slots);
    return fitting(
      exchanges.map((exchange) =>
        guarded({
          payload: exchange.payload,
          taken: (reply) =>
            reply.length === SEALED_BYTES
              ? exchange.answered(reply)
              : exchange.lost("failed"),
          lost: (why) => exchange.lost(why),
        }, fault)
      ),
      slots,
      EXCHANGE_BYTES,
    );
  };
}

/** A source of calls as a filler; `fault` as for `exchangeFiller`. */
export function dialFiller(
  source: DialSource,
  fault: (error: unknown) => void,
): Filler {
  return async ({ round, settings }, slots) => {
    const call = await source.dial(round);
    if (call === undefined) return [];
    const bucket = bucketOf(call.to, settings.buckets);
    const content = guarded({
      payload: concat(u32(bucket), call.token),
      taken: () => call.done(undefined),
      lost: (why) => call.done(why),
    }, fault);
    return fitting([content], slots, DIAL_BYTES);
  };
}

/** Cover for an exchange round: what nobody opens, at a drop where nobody is. */
export function exchangeCover(random: RandomSource): Bytes {
  return random(EXCHANGE_BYTES);
}

/** Cover for a dialing round: a token for nobody. */
export function dialCover(random: RandomSource): Bytes {
  return concat(u32(NOBODY), random(TOKEN_BYTES));
}

/** What a source gave, whose errors end nothing but itself. */
function guarded(content: Content, fault: (error: unknown) => void): Content {
  const attempt = (action: () => void) => {
    try {
      action();
    } catch (error) {
      fault(error);
    }
  };
  return {
    payload: content.payload,
    taken: (reply) => attempt(() => content.taken(reply)),
    lost: (why) => attempt(() => content.lost(why)),
  };
}

/** A source that does not keep to what it was asked for loses what is wrong, and the rest goes. */
function fitting(
  contents: readonly Content[],
  slots: number,
  length: number,
): readonly Content[] {
  const right = contents.filter(({ payload }) => payload.length === length);
  const kept = right.slice(0, slots);
  for (const each of contents) if (!kept.includes(each)) each.lost("late");
  return kept;
}
