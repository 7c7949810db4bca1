/** The order of byte strings, as of unsigned numbers from the front; a shorter one first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

/** Whether every one of `items` comes before the next: sorted, and none twice. */
export function isAscending(items: readonly Uint8Array[]): boolean {
  return items.every((each, i) =>
    i === 0 || compareBytes(items[i - 1]!, each) < 0
  );
}

/** Whether the bytes are the same; for what is public. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, b) === 0;
}
