import {
  concat,
  MalformedError,
  Reader,
  utf8,
  Writer,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { FLAG_CONTINUED, FLAG_MORE, PAYLOAD_LIMIT } from "./peer_message.ts";

/** Length of a text's id in bytes. */
export const TEXT_ID_BYTES = 8;
/** Longest text in bytes of UTF-8: 64 KiB. */
export const TEXT_LIMIT = 65_536;

const HEAD_BYTES = TEXT_ID_BYTES + 8;
/** So many messages carry the longest text: 165. */
export const TEXT_PARTS_LIMIT: number = Math.ceil(
  (HEAD_BYTES + TEXT_LIMIT) / PAYLOAD_LIMIT,
);

/** Unlike the shared decoder this one leaves a byte order mark where the writer put it. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What one person wrote to another. */
export interface Text {
  /** Chosen by the sender at random, 8 bytes; the same if the text is sent again. */
  readonly id: Bytes;
  /** When it was written, by the sender's clock, in milliseconds since 1970. */
  readonly sentAt: number;
  /** At most 64 KiB of UTF-8. */
  readonly text: string;
}

/** A part of a text: flags and payload of one TEXT message. */
export interface TextPart {
  /** `FLAG_MORE` and `FLAG_CONTINUED`. */
  readonly flags: number;
  /** At most 399 bytes. */
  readonly payload: Bytes;
}

/**
 * Cuts a text into the payloads of TEXT messages, which must get consecutive numbers: id 8 ‖ sentAt
 * u64 ‖ UTF-8, 399 bytes in every part but the last.
 *
 * @throws {RangeError} if it is longer than 64 KiB of UTF-8.
 */
export function cutText({ id, sentAt, text }: Text): TextPart[] {
  const encoded = utf8(text);
  if (encoded.length > TEXT_LIMIT) {
    throw new RangeError(
      `Cannot write a text: ${encoded.length} bytes, at most ${TEXT_LIMIT} fit`,
    );
  }
  const whole = new Writer(HEAD_BYTES + encoded.length)
    .bytes(id)
    .u64(BigInt(sentAt))
    .bytes(encoded)
    .done();
  const parts: TextPart[] = [];
  for (let at = 0; at < whole.length; at += PAYLOAD_LIMIT) {
    const more = at + PAYLOAD_LIMIT < whole.length;
    parts.push({
      flags: (at > 0 ? FLAG_CONTINUED : 0) | (more ? FLAG_MORE : 0),
      payload: whole.slice(at, at + PAYLOAD_LIMIT),
    });
  }
  return parts;
}

/**
 * Puts the payloads of a text together, in the order of their messages.
 *
 * @throws {MalformedError} if `cutText` cannot have made them.
 */
export function joinText(payloads: readonly Bytes[]): Text {
  const full = payloads.slice(0, -1);
  if (full.some((payload) => payload.length !== PAYLOAD_LIMIT)) {
    throw new MalformedError("Cannot read a text: a part is not full");
  }
  if (payloads.length > 1 && payloads.at(-1)!.length === 0) {
    throw new MalformedError("Cannot read a text: the last part is empty");
  }
  const reader = new Reader(concat(...payloads));
  const id = reader.take(TEXT_ID_BYTES);
  const sentAt = reader.u64();
  if (reader.left > TEXT_LIMIT || sentAt > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new MalformedError("Cannot read a text: too long, or from no time");
  }
  try {
    return { id, sentAt: Number(sentAt), text: decoder.decode(reader.rest()) };
  } catch (cause) {
    throw new MalformedError("Cannot read a text: not UTF-8", { cause });
  }
}
