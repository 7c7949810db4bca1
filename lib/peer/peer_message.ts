import {
  concat,
  MalformedError,
  Reader,
  sign,
  SIGNATURE_BYTES,
  utf8,
  verify,
  Writer,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";

/** Length of a message before it is sealed, in bytes, whatever it says. */
export const PEER_MESSAGE_BYTES = 480;
/** Longest payload of one message in bytes. */
export const PAYLOAD_LIMIT = 399;

const BODY_BYTES = PEER_MESSAGE_BYTES - SIGNATURE_BYTES;
const VERSION = 1;
const LABEL = utf8("sotto peer message v1\0");

/**
 * What a message is. TEXT, READ, HANGUP and RATCHET are numbered and acknowledged; the others have the
 * number 0, for they say nothing that would be missed or go stale when lost.
 */
export const MessageType = {
  /** Says nothing; looks like all others. */
  COVER: 0,
  /** A text or a part of one. */
  TEXT: 1,
  /** Carries an acknowledgement (as all do) and nothing else. */
  RECEIPT: 2,
  /** Names texts that were shown. */
  READ: 3,
  /** Asks for what is not acknowledged to be sent again. */
  RETRY: 4,
  /** Ends the session. */
  HANGUP: 5,
  /** A part of new keys for a conversation over rounds; letters, which have a ratchet, never carry it. */
  RATCHET: 6,
} as const;
/** One of the numbers in `MessageType`. */
export type MessageType = typeof MessageType[keyof typeof MessageType];

/** Flag of a TEXT: the text goes on in the message with the next number. */
export const FLAG_MORE = 1;
/** Flag of a TEXT: the text began in the message with the previous number. */
export const FLAG_CONTINUED = 2;

/** One message between two people, the same for every way of delivery. */
export interface PeerMessage {
  /** What it is. */
  readonly type: MessageType;
  /** `FLAG_MORE` and `FLAG_CONTINUED` for a TEXT, else 0. */
  readonly flags: number;
  /** From 1 in each session and direction; 0 for types that are not numbered. */
  readonly seq: number;
  /** Every message up to this number has reached the sender. */
  readonly ack: number;
  /** Which beyond it have; see `Acknowledgement`. */
  readonly sack: number;
  /** At most 399 bytes. */
  readonly payload: Bytes;
}

/** What opened is a message without the signature of the one who should have written it. */
export class PeerMessageError extends Error {
  /** Name of the class. */
  override readonly name = "PeerMessageError";
  /** Stable, for programs. */
  readonly code = "ERR_PEER_MESSAGE_SIGNATURE";
}

/** Whether messages of this type are numbered and acknowledged. */
export function isNumbered(type: MessageType): boolean {
  return type === MessageType.TEXT || type === MessageType.READ ||
    type === MessageType.HANGUP || type === MessageType.RATCHET;
}

/**
 * Signs a message and encodes it: version u8 ‖ type u8 ‖ flags u8 ‖ seq u32 ‖ ack u32 ‖ sack u32 ‖
 * length u16 ‖ payload padded by zeros to 399 ‖ Ed25519 signature 64 over label ‖ context ‖ the 416
 * bytes before.
 *
 * @param context the session and the place in it, of one length for all messages.
 * @returns 480 bytes.
 * @throws {RangeError} if the payload is longer than 399 bytes or a field is out of its range.
 */
export async function signPeerMessage(
  privateKey: CryptoKey,
  context: Bytes,
  message: PeerMessage,
): Promise<Bytes> {
  const { payload } = message;
  if (payload.length > PAYLOAD_LIMIT) {
    throw new RangeError(
      `Cannot write a message: ${payload.length} bytes, at most ${PAYLOAD_LIMIT} fit`,
    );
  }
  const fault = faultOf(message.type, message.flags, message.seq);
  if (fault !== null) {
    throw new RangeError(`Cannot write a message: ${fault}`);
  }
  const body = new Writer(PEER_MESSAGE_BYTES)
    .u8(VERSION)
    .u8(message.type)
    .u8(message.flags)
    .u32(message.seq)
    .u32(message.ack)
    .u32(message.sack)
    .u16(payload.length)
    .bytes(payload)
    .bytes(new Uint8Array(PAYLOAD_LIMIT - payload.length));
  const signature = await sign(
    privateKey,
    concat(LABEL, context, body.done()),
  );
  return body.bytes(signature).done();
}

/**
 * Inverse of `signPeerMessage`.
 *
 * @param publicKey Ed25519 key of the one who should have written it, 32 bytes.
 * @throws {PeerMessageError} if the signature is not that person's over these bytes in this context.
 * @throws {MalformedError} if the bytes are no message; one has exactly one encoding.
 */
export async function verifyPeerMessage(
  publicKey: Bytes,
  context: Bytes,
  bytes: Bytes,
): Promise<PeerMessage> {
  const whole = new Reader(bytes);
  const body = whole.take(BODY_BYTES);
  const signature = whole.take(SIGNATURE_BYTES);
  whole.end();
  if (!await verify(publicKey, signature, concat(LABEL, context, body))) {
    throw new PeerMessageError(
      "Cannot accept a message: its signature does not verify",
    );
  }
  return parseBody(body);
}

function parseBody(body: Bytes): PeerMessage {
  const reader = new Reader(body);
  const version = reader.u8();
  if (version !== VERSION) {
    throw new MalformedError(`Cannot read a message: version ${version}`);
  }
  const type = messageType(reader.u8());
  const flags = reader.u8();
  const seq = reader.u32();
  const fault = faultOf(type, flags, seq);
  if (fault !== null) {
    throw new MalformedError(`Cannot read a message: ${fault}`);
  }
  const ack = reader.u32();
  const sack = reader.u32();
  const length = reader.u16();
  if (length > PAYLOAD_LIMIT) {
    throw new MalformedError(
      `Cannot read a message: ${length} bytes, at most ${PAYLOAD_LIMIT} fit`,
    );
  }
  const payload = reader.take(length);
  if (reader.rest().some((byte) => byte !== 0)) {
    throw new MalformedError("Cannot read a message: padding is not zero");
  }
  return { type, flags, seq, ack, sack, payload };
}

/** What of these does not fit together; null if nothing. */
function faultOf(
  type: MessageType,
  flags: number,
  seq: number,
): string | null {
  const allowed = type === MessageType.TEXT ? FLAG_MORE | FLAG_CONTINUED : 0;
  if ((flags & ~allowed) !== 0) return `flags ${flags} with type ${type}`;
  if (isNumbered(type) !== seq > 0) return `number ${seq} with type ${type}`;
  return null;
}

function messageType(value: number): MessageType {
  for (const type of Object.values(MessageType)) {
    if (type === value) return type;
  }
  throw new MalformedError(`Cannot read a message: type ${value}`);
}
