import type { Bytes } from "../../protocol/mod.ts";

/** Bytes of a block of most file systems: a smaller hole saves nothing. */
const BLOCK = 4096;

/** Whether all `bytes` are zero. */
export function isZero(bytes: Bytes): boolean {
  let at = 0;
  while (at < bytes.length && (bytes.byteOffset + at) % 4 !== 0) {
    if (bytes[at++] !== 0) return false;
  }
  // Four at a time where the memory is aligned for it: a sparse file is made of nothing else.
  const words = (bytes.length - at) >>> 2;
  if (words > 0) {
    const view = new Int32Array(bytes.buffer, bytes.byteOffset + at, words);
    for (let i = 0; i < words; i++) if (view[i] !== 0) return false;
    at += words * 4;
  }
  for (; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/**
 * The runs of `bytes` that must be written where zeros stand already: whole blocks of zeros are left
 * out, neighbours are joined. Costs next to nothing where there are no zeros.
 *
 * @param at where `bytes` stand in the file.
 * @returns pairs of beginning and end, within `bytes`.
 */
export function dataRuns(bytes: Bytes, at: number): [number, number][] {
  const runs: [number, number][] = [];
  let run: [number, number] | undefined;
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(from + BLOCK - (at + from) % BLOCK, bytes.length);
    if (isHole(bytes, from, to)) run = undefined;
    else if (run === undefined) runs.push(run = [from, to]);
    else run[1] = to;
    from = to;
  }
  return runs;
}

function isHole(bytes: Bytes, from: number, to: number): boolean {
  // Three bytes tell nearly every block that holds something.
  if (bytes[from] !== 0 || bytes[to - 1] !== 0) return false;
  if (bytes[(from + to) >>> 1] !== 0) return false;
  return isZero(bytes.subarray(from, to));
}
