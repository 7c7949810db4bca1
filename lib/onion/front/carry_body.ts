import { MalformedError, utf8 } from "../../protocol/mod.ts";
import type { Framing } from "./body_framing.ts";
import { ChunkScanner } from "./chunk_scanner.ts";
import type { StreamInput } from "./stream_input.ts";

/** What is carried at a time, in bytes. */
const BUFFER_BYTES = 65_536;
const CHUNK_END = utf8("\r\n");
const LAST_CHUNK = utf8("0\r\n\r\n");

/** Whoever should take a body does not take it any more; `cause` says why. */
export class SinkError extends Error {
  /** The name of this class. */
  override readonly name = "SinkError";
}

/**
 * Carries a body as it is, to its end and not a byte further.
 *
 * @throws {SinkError} if it cannot be written.
 * @throws {MalformedError} if it is not what `framing` says, or is cut short.
 */
export async function carryBody(
  framing: Framing,
  from: StreamInput,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  if (framing.kind === "none") return;
  const end = endOf(framing);
  const buffer = new Uint8Array(BUFFER_BYTES);
  while (!end.reached) {
    const count = await from.read(buffer);
    if (count === null) {
      if (framing.kind === "end") return;
      throw new MalformedError("Cannot carry a body: it is cut short");
    }
    const taken = end.take(buffer.subarray(0, count));
    if (taken < count) from.unread(buffer.slice(taken, count));
    await put(write, buffer.subarray(0, taken));
  }
}

/**
 * Carries a body that ends with its connection, in chunks, so that whoever takes it can tell its end
 * from a broken connection.
 *
 * @throws {SinkError} if it cannot be written.
 */
export async function carryInChunks(
  from: StreamInput,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) return await put(write, LAST_CHUNK);
    await put(write, utf8(`${count.toString(16)}\r\n`));
    await put(write, buffer.subarray(0, count));
    await put(write, CHUNK_END);
  }
}

/** Finds the end in the bytes that pass. */
interface BodyEnd {
  /** Whether all of the body has passed. */
  readonly reached: boolean;
  /** How many of the next bytes belong to the body. */
  take(bytes: Uint8Array): number;
}

function endOf(framing: Framing): BodyEnd {
  if (framing.kind === "chunked") {
    const scanner = new ChunkScanner();
    return {
      get reached() {
        return scanner.done;
      },
      take: (bytes) => scanner.scan(bytes),
    };
  }
  let left = framing.kind === "length" ? framing.length : Infinity;
  return {
    get reached() {
      return left === 0;
    },
    take(bytes) {
      const taken = Math.min(left, bytes.length);
      left -= taken;
      return taken;
    },
  };
}

async function put(
  write: (bytes: Uint8Array) => Promise<void>,
  bytes: Uint8Array,
): Promise<void> {
  try {
    await write(bytes);
  } catch (cause) {
    throw new SinkError("Cannot carry a body on", { cause });
  }
}
