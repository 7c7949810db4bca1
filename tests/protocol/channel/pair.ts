import { Channel } from "../../../lib/protocol/channel/channel.ts";
import { ChannelError } from "../../../lib/protocol/channel/errors.ts";
import type { ChannelErrorCode } from "../../../lib/protocol/channel/errors.ts";
import { TrafficKey } from "../../../lib/protocol/channel/traffic_key.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import type { MemoryConnection, Passage } from "../../support/memory_stream.ts";
import { assertEquals, assertRejects } from "@std/assert";

/** The traffic keys of the two directions of every test channel. */
export const LEFT_KEY = new Uint8Array(32).fill(1);
export const RIGHT_KEY = new Uint8Array(32).fill(2);
const HASH = new Uint8Array(32).fill(3);

/** Two channels that speak with each other over a connection in memory. */
export interface Pair {
  readonly left: Channel;
  readonly right: Channel;
  readonly connection: MemoryConnection;
  /** Drops both sides, and waits until what was read ahead has been opened or given up. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How the pair's connection behaves, and after how many records each side takes a new key. */
export interface PairOptions {
  readonly rightward?: Passage;
  readonly leftward?: Passage;
  readonly rekeyAfter?: number;
}

export async function pair(options: PairOptions = {}): Promise<Pair> {
  const connection = memoryConnection(options);
  const key = (raw: Bytes) => TrafficKey.of(raw, options.rekeyAfter);
  const left = new Channel(connection.left, {
    send: await key(LEFT_KEY),
    receive: await key(RIGHT_KEY),
    hash: HASH,
  });
  const right = new Channel(connection.right, {
    send: await key(RIGHT_KEY),
    receive: await key(LEFT_KEY),
    hash: HASH,
  });
  return {
    left,
    right,
    connection,
    async [Symbol.asyncDispose]() {
      left.abort();
      right.abort();
      await later(3);
    },
  };
}

/** `length` bytes that tell where they belong. */
export function pattern(length: number, seed = 0): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) + seed) & 0xff;
  return bytes;
}

/** Reads until `length` bytes are there. */
export async function receiveBytes(
  channel: Channel,
  length: number,
): Promise<Bytes> {
  const whole = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const piece = await channel.receive();
    if (piece === null) throw new Error(`CLOSE after ${at} bytes`);
    if (at + piece.length > length) throw new Error("more bytes than expected");
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Asserts that `promise` rejects with a ChannelError of one of `codes`. */
export async function rejectsWith(
  promise: Promise<unknown>,
  ...codes: readonly ChannelErrorCode[]
): Promise<void> {
  const error = await assertRejects(() => promise, ChannelError);
  if (!codes.includes(error.code)) assertEquals(error.code, codes.join(" or "));
}

/** Resolves in a later turn of the event loop: whatever could happen by itself has happened. */
export function later(milliseconds = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
