import { CommandWriter } from "../protocol/mod.ts";
import { ROUND_KIND, ROUND_START } from "./commands.ts";
import type { RoundId } from "./round.ts";

/**
 * The beginning of what is said about a round, or about the run that begins with it.
 *
 * @param capacity for how many bytes in all there is room at first.
 */
export function about({ kind, start }: RoundId, capacity = 64): CommandWriter {
  return new CommandWriter(capacity).set(ROUND_KIND, kind)
    .set(ROUND_START, BigInt(start));
}
