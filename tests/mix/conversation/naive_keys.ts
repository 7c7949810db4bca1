import {
  createDecipheriv,
  createHmac,
  diffieHellman,
  hkdfSync,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Bytes } from "../../../lib/protocol/mod.ts";

/** The keys of conversations, written from the specification alone: everything from the beginning, every time. */

export function naiveHmac(key: Uint8Array, ...data: Uint8Array[]): Bytes {
  return new Uint8Array(
    createHmac("sha256", key).update(Buffer.concat(data)).digest(),
  );
}

export function naiveHkdf(
  secret: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
): Bytes {
  return new Uint8Array(hkdfSync("sha256", secret, salt, info, 32));
}

export function text(value: string): Bytes {
  return new TextEncoder().encode(value);
}

export function long(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

export function naivePair(
  privateKey: KeyObject,
  publicKey: KeyObject,
  ids: readonly [Uint8Array, Uint8Array],
): Bytes {
  const sorted = [...ids].sort(Buffer.compare);
  return naiveHkdf(
    diffieHellman({ privateKey, publicKey }),
    Buffer.concat(sorted),
    text("sotto mix pair v1"),
  );
}

export function naiveToken(
  pair: Uint8Array,
  start: number,
  callerId: Uint8Array,
): Bytes {
  return naiveHmac(pair, text("dial"), long(start), callerId);
}

export function naiveCall(pair: Uint8Array, token: Uint8Array): Bytes {
  return naiveHkdf(pair, token, text("sotto mix call v1"));
}

/** The key of a minute that is `minutes` after the one of `key`. */
export function naiveTurned(key: Uint8Array, minutes: number): Bytes {
  let turned = new Uint8Array(key);
  for (let i = 0; i < minutes; i++) turned = naiveHmac(turned, text("turn"));
  return turned;
}

/** The key of a round, out of the key of the minute `minute`. */
export function naiveRoundKey(
  key: Uint8Array,
  minute: number,
  start: number,
): Bytes {
  const minutes = Math.floor(start / 60_000) - minute;
  return naiveHmac(naiveTurned(key, minutes), text("round"), long(start));
}

export function naiveDrop(roundKey: Uint8Array): Bytes {
  return naiveHmac(roundKey, text("drop")).slice(0, 16);
}

export function naiveBase(roundKey: Uint8Array): Bytes {
  return naiveHmac(roundKey, text("seal"));
}

export function naiveGeneration(
  agreed: Uint8Array,
  before: Uint8Array,
  number: number,
): Bytes {
  const info = Buffer.concat([
    text("sotto mix generation v1"),
    long(number).slice(4),
  ]);
  return naiveHkdf(agreed, before, info);
}

/** What a sealed message says, or nothing if the keys are others. */
export function naiveOpen(
  base: Uint8Array,
  generation: Uint8Array,
  direction: number,
  sealed: Uint8Array,
): Bytes | undefined {
  const info = Buffer.concat([
    text("sotto mix message v1"),
    Uint8Array.of(direction),
  ]);
  const key = naiveHkdf(base, generation, info);
  const cipher = createDecipheriv("aes-256-gcm", key, new Uint8Array(12));
  cipher.setAuthTag(sealed.subarray(-16));
  const opened = cipher.update(sealed.subarray(0, -16));
  try {
    cipher.final();
  } catch {
    return undefined;
  }
  return new Uint8Array(opened);
}
