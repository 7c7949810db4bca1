/**
 * Where bytes go in and out: a TCP connection or two ends in memory. The shape is that of
 * `Deno.Conn`, so that a connection is one as it is.
 */
export interface ByteStream {
  /** Fills the front of `buffer`; how many bytes, or `null` when the other side has ended. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes a part of `bytes`; how many of them. */
  write(bytes: Uint8Array): Promise<number>;
  /** Lets go of it; reads and writes under way fail. */
  close(): void;
}

/** Writes all of `bytes`, however little the stream takes at a time. */
export async function writeAll(
  stream: ByteStream,
  bytes: Uint8Array,
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await stream.write(at === 0 ? bytes : bytes.subarray(at));
  }
}
