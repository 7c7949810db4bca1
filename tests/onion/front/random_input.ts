import { utf8 } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";

const WORDS: readonly Bytes[] = [
  ...[
    "GET ",
    "CONNECT ",
    "http://",
    "a",
    ":",
    "/",
    " HTTP/1.1",
    "HTTP/1.1 200",
  ],
  ...[
    "\r\n",
    "\r\n\r\n",
    "Content-Length: ",
    "Transfer-Encoding: chunked",
    "1",
  ],
  ...["Host: a", "\n", "\r", "\t", " ", "0", "f", ";", "[::1]", "é", "\0", "9"],
].map(utf8).concat([
  new Uint8Array([5, 1, 0]),
  new Uint8Array([5, 1, 0, 3]),
  new Uint8Array([4, 1, 0, 80, 0, 0, 0, 1]),
  new Uint8Array([1, 1]),
]);

/** Bytes that look a little like what is spoken, or not at all. */
export function randomInput(random: () => number): Bytes {
  const parts: number[] = [];
  for (let left = Math.floor(random() * 12); left > 0; left--) {
    if (random() < 0.3) parts.push(Math.floor(random() * 256));
    else parts.push(...WORDS[Math.floor(random() * WORDS.length)]!);
  }
  return new Uint8Array(parts);
}

/** A generator of numbers that gives the same again for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
