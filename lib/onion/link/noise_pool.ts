import type { Bytes } from "../../protocol/mod.ts";
import { randomBytes } from "../../protocol/mod.ts";

/** Bytes that are made at a time. */
const POOL_BYTES = 8_192;

let pool: Bytes = new Uint8Array(0);
let at = 0;

/**
 * Random bytes to fill up cells with, never the same ones twice. Made many at a time, because every
 * cell takes some and a call costs as much as a kilobyte does.
 *
 * @param length at most 8,192.
 */
export function noise(length: number): Bytes {
  if (at + length > pool.length) {
    pool = randomBytes(POOL_BYTES);
    at = 0;
  }
  at += length;
  return pool.subarray(at - length, at);
}
