import type { Bytes } from "../protocol/mod.ts";

/** Numbers of pieces in a batch; a piece is one of the byte strings of one length that it consists of. */
type Numbers = readonly number[] | Uint32Array;

/** The pieces of `batch` that have these numbers, in this order, in a new array. @param size of one in bytes. */
export function gather(batch: Bytes, numbers: Numbers, size: number): Bytes {
  const gathered = new Uint8Array(numbers.length * size);
  numbers.forEach((from: number, to: number) => {
    gathered.set(batch.subarray(from * size, (from + 1) * size), to * size);
  });
  return gathered;
}

/** The inverse of `gather`: puts the pieces of `gathered` to where these numbers say in `batch`. */
export function scatter(
  gathered: Bytes,
  batch: Bytes,
  numbers: Numbers,
  size: number,
): void {
  numbers.forEach((to: number, from: number) => {
    batch.set(gathered.subarray(from * size, (from + 1) * size), to * size);
  });
}
