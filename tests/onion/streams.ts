import type { OnionStream } from "../../lib/onion/stream/opener.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { concat } from "../../lib/protocol/mod.ts";

/** Exactly `length` bytes of a stream. @throws {Error} if it ends before. */
export async function readExactly(
  stream: OnionStream,
  length: number,
): Promise<Bytes> {
  const buffer = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await stream.read(buffer.subarray(at));
    if (count === null) throw new Error(`It ended after ${at} bytes`);
    at += count;
  }
  return buffer;
}

/** Everything that comes until the end. */
export async function readAll(stream: OnionStream): Promise<Bytes> {
  const parts: Bytes[] = [];
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const count = await stream.read(buffer);
    if (count === null) return concat(...parts);
    parts.push(buffer.slice(0, count));
  }
}

/** What came, and why it ended, if not orderly. */
export async function readUntilFailure(
  stream: OnionStream,
): Promise<{ bytes: Bytes; error: unknown }> {
  const parts: Bytes[] = [];
  const buffer = new Uint8Array(16_384);
  try {
    for (;;) {
      const count = await stream.read(buffer);
      if (count === null) return { bytes: concat(...parts), error: undefined };
      parts.push(buffer.slice(0, count));
    }
  } catch (error) {
    return { bytes: concat(...parts), error };
  }
}

/** Waits until `isSo`. @throws {Error} with `what` if it does not become so. */
export async function until(
  isSo: () => boolean,
  what: string,
  milliseconds = 20_000,
): Promise<void> {
  const end = performance.now() + milliseconds;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`It never was so: ${what}`);
    await pause(2);
  }
}

/** Lets time pass. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Rejects when `work` takes longer. */
export async function within<T>(
  milliseconds: number,
  what: string,
  work: Promise<T>,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`It took too long: ${what}`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
