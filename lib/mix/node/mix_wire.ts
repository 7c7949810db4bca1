import type {
  Bytes,
  CommandChannel,
  Message,
  Verb,
} from "../../protocol/mod.ts";
import { MalformedError, Vocabulary } from "../../protocol/mod.ts";
import { about } from "../about_round.ts";
import {
  BATCH_LENGTH,
  MIXING_ROUNDS,
  ROUND_KIND,
  ROUND_START,
  TOTAL_LENGTH,
} from "../commands.ts";
import { RoundKind } from "../round.ts";
import type { RoundId } from "../round.ts";

/** What is said between a coordinator and a mix. */
export const MIX_VOCABULARY: Vocabulary = new Vocabulary(MIXING_ROUNDS);
/** Settings of the greatest length, and what goes with them. */
export const MIX_DECODER_LIMITS = {
  messageBytes: 66_560,
  skippedBytes: 65_536,
};
/** Longest body in bytes. */
const PART_LIMIT = 65_536;

/**
 * Which round a message is about.
 *
 * @throws {MalformedError} if it does not say, or there can be no such round.
 */
export function roundIn(message: Message): RoundId {
  const kind = message.need(ROUND_KIND);
  const start = Number(message.need(ROUND_START));
  const isKind = kind === RoundKind.EXCHANGE || kind === RoundKind.DIALING;
  if (!isKind || !Number.isSafeInteger(start)) {
    throw new MalformedError(`Cannot take ${message.verb.name}: no such round`);
  }
  return { kind, start };
}

/**
 * The length of the body behind a message, 0 to 65,536 bytes.
 *
 * @throws {MalformedError} if it is another.
 */
export function partIn(message: Message): number {
  const length = message.need(BATCH_LENGTH);
  if (length <= PART_LIMIT) return length;
  throw new MalformedError(`Cannot take ${message.verb.name}: too long a part`);
}

/**
 * Sends what belongs together as bodies of at most 65,536 bytes, each of whole elements. All of it is
 * queued before this returns, so that several calls keep their order; resolves when it is written.
 *
 * @param size length of each element in bytes.
 * @throws {ChannelError} if the connection fails.
 */
export async function sendBatch(
  link: CommandChannel,
  verb: Verb,
  round: RoundId,
  batch: Bytes,
  size: number,
): Promise<void> {
  const step = Math.max(1, Math.floor(PART_LIMIT / size)) * size;
  const sending: Promise<void>[] = [];
  let at = 0;
  do {
    const part = batch.subarray(at, at + step);
    const commands = about(round).set(TOTAL_LENGTH, batch.length)
      .set(BATCH_LENGTH, part.length).verb(verb).done();
    sending.push(
      part.length === 0
        ? link.send(commands)
        : link.sendWithBody(commands, part),
    );
    at += step;
  } while (at < batch.length);
  await Promise.all(sending);
}
