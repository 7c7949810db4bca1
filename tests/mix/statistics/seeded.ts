import type { RandomSource } from "../../../lib/protocol/mod.ts";

/** Bytes that look random and are the same for the same seed: Marsaglia's xorshift64, its halves mixed. */
export function seeded(seed: number): RandomSource {
  let high = seed >>> 0;
  let low = 0x9e37_79b9;
  const step = (): number => {
    // Shifts by 13, 7 and 17, on two halves of 32 bits.
    high ^= high << 13 | low >>> 19;
    low ^= low << 13;
    low ^= low >>> 7 | high << 25;
    high ^= high >>> 7;
    high ^= high << 17 | low >>> 15;
    low ^= low << 17;
    let mixed = Math.imul(high ^ high >>> 15, 0x2c1b_3c6d) ^ low;
    mixed = Math.imul(mixed ^ mixed >>> 12, 0x297a_2d39);
    return (mixed ^ mixed >>> 15) >>> 0;
  };
  for (let i = 0; i < 16; i++) step();
  return (length) => {
    const bytes = new Uint8Array(length);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (; at + 4 <= length; at += 4) view.setUint32(at, step());
    for (; at < length; at++) bytes[at] = step();
    return bytes;
  };
}
