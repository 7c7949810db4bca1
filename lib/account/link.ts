import type { Channel, DecoderLimits } from "../protocol/mod.ts";
import { CommandChannel, Vocabulary } from "../protocol/mod.ts";
import { ACCOUNT } from "./commands.ts";
import { SUBMISSION_LIMIT } from "./submission.ts";

const VOCABULARY = new Vocabulary(ACCOUNT);

const LIMITS: DecoderLimits = {
  messageBytes: SUBMISSION_LIMIT + 4_096,
  skippedBytes: 1_048_576,
};

/** A channel on which accounts are spoken of. */
export function accountLink(channel: Channel): CommandChannel {
  return new CommandChannel(channel, VOCABULARY, LIMITS);
}
