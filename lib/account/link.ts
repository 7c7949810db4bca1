import type { Channel, DecoderLimits } from "../protocol/mod.ts";
import { CommandChannel, Vocabulary } from "../protocol/mod.ts";
import { ACCOUNT } from "./commands.ts";
import { SUBMISSION_LIMIT } from "./submission.ts";

const LIMITS: DecoderLimits = {
  messageBytes: SUBMISSION_LIMIT + 4_096,
  skippedBytes: 1_048_576,
};

const VOCABULARY = new Vocabulary(ACCOUNT);

/**
 * A channel on which accounts are spoken of.
 *
 * @param vocabulary other commands than those of accounts, for what guests are offered.
 */
export function accountLink(
  channel: Channel,
  vocabulary: Vocabulary = VOCABULARY,
): CommandChannel {
  return new CommandChannel(channel, vocabulary, LIMITS);
}
