import type {
  Bytes,
  CommandWriter,
  Message,
  Vocabulary,
} from "../protocol/mod.ts";
import {
  concat,
  Decoder,
  equalConstantTime,
  MalformedError,
  sha256,
  u64,
  utf8,
} from "../protocol/mod.ts";
import { DATA, DATA_LENGTH, VERIFICATION_SHA256 } from "./commands.ts";

/** Longest plaintext of a submission or a push, in bytes. */
export const SUBMISSION_LIMIT = 262_144;

/** Pieces of DATA, in bytes: the longest that a 2-byte length allows, rounded down. */
const PIECE = 49_152;

/** Most commands in one submission. */
export const SUBMISSION_COMMANDS = 1_024;

const LABEL = utf8("sotto submission 1");

/**
 * What a client signs of a submission (S1.4): label ‖ handshake hash (32) ‖ counter (8) ‖ length of
 * the username (1) ‖ username ‖ plaintext. It holds in this connection and at this place only.
 */
export function signedBytes(
  channelHash: Bytes,
  counter: bigint,
  username: Bytes,
  plaintext: Bytes,
): Bytes {
  const length = new Uint8Array([username.length]);
  return concat(LABEL, channelHash, u64(counter), length, username, plaintext);
}

/** Sets DATA-LENGTH, DATA and VERIFICATION-SHA256 for `plaintext` (S2.6). */
export function writeData(
  writer: CommandWriter,
  plaintext: Bytes,
  hash: Bytes,
): CommandWriter {
  writer.set(DATA_LENGTH, plaintext.length);
  for (let at = 0; at < plaintext.length; at += PIECE) {
    writer.set(DATA, plaintext.subarray(at, at + PIECE));
  }
  return writer.set(VERIFICATION_SHA256, hash);
}

/**
 * The plaintext of a SUBMIT, PUSH or OK, or `undefined` if its length or hash does not match (S0.8).
 *
 * @throws {MalformedError} if a parameter is missing.
 */
export async function readData(message: Message): Promise<Bytes | undefined> {
  const length = message.need(DATA_LENGTH);
  const expected = message.need(VERIFICATION_SHA256);
  const pieces = message.all(DATA);
  const plaintext = pieces.length === 1 ? pieces[0]! : concat(...pieces);
  if (plaintext.length !== length) return undefined;
  return equalConstantTime(await sha256(plaintext), expected)
    ? plaintext
    : undefined;
}

/**
 * The commands in a plaintext.
 *
 * @throws {MalformedError} if it does not end with a command, or holds more than 1,024 of them.
 */
export function parseCommands(
  plaintext: Bytes,
  vocabulary: Vocabulary,
): Message[] {
  const decoder = new Decoder(vocabulary, {
    messageBytes: SUBMISSION_LIMIT,
    skippedBytes: SUBMISSION_LIMIT,
  });
  decoder.push(plaintext);
  const messages: Message[] = [];
  for (;;) {
    const message = decoder.next();
    if (message === undefined) break;
    messages.push(message);
    if (messages.length > SUBMISSION_COMMANDS) {
      throw new MalformedError("Cannot take a submission: too many commands");
    }
  }
  if (!decoder.complete) {
    throw new MalformedError("Cannot take a submission: it ends in a command");
  }
  return messages;
}
