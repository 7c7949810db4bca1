import type { Bytes, CommandChannel, Message, Verb } from "../protocol/mod.ts";
import {
  ChannelError,
  fromUtf8,
  MalformedError,
  RECORD_LIMIT,
  RECORD_LIMIT_MINIMUM,
  Vocabulary,
} from "../protocol/mod.ts";
import {
  ACCOUNT,
  AccountError,
  KO,
  MAX_PACKET,
  REASON,
  refusalOf,
  RETRY_IN,
} from "../account/mod.ts";
import { TRANSFER } from "./commands.ts";

/** What is said on a connection for files. */
export const TRANSFER_VOCABULARY: Vocabulary = new Vocabulary(
  ACCOUNT,
  TRANSFER,
);

/**
 * Sends the first commands of a connection for files; the answer. From it on both sides keep to the
 * lower MAX-PACKET of both.
 *
 * @param action for the error, in words that follow "Cannot".
 * @throws {AccountError} if the server refuses.
 * @throws {ChannelError} if the connection fails.
 */
export async function ask(
  link: CommandChannel,
  commands: Bytes,
  expected: Verb,
  action: string,
): Promise<Message> {
  await link.send(commands);
  const answer = await link.next();
  if (answer === null) throw cut(action);
  if (answer.verb === KO) throw refusal(answer, action);
  if (answer.verb !== expected) {
    throw new MalformedError(
      `Cannot ${action}: the server said something else`,
    );
  }
  const theirs = answer.get(MAX_PACKET) ?? RECORD_LIMIT;
  if (theirs < RECORD_LIMIT_MINIMUM) {
    throw new MalformedError(`Cannot ${action}: MAX-PACKET is ${theirs}`);
  }
  link.limit(Math.min(theirs, RECORD_LIMIT));
  return answer;
}

/** A KO as the error that it stands for. */
export function refusal(message: Message, action: string): AccountError {
  const reason = refusalOf(fromUtf8(message.get(REASON) ?? new Uint8Array(0)));
  return new AccountError(action, reason, message.get(RETRY_IN) ?? 0);
}

/** The server closed where it should have gone on. */
export function cut(action: string): ChannelError {
  return new ChannelError(
    "ERR_CHANNEL_CUT",
    `Cannot ${action}: the server closed the connection`,
  );
}
