import type { ByteStream } from "../protocol/mod.ts";

/** A connection could not be made. */
export class DialError extends Error {
  /** The name of this class. */
  override readonly name = "DialError";
  /** Stable, for programs. */
  readonly code = "ERR_UNREACHABLE";
}

/** Where and how to connect. */
export interface DialOptions {
  /** A name or an IP address. */
  readonly hostname: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** Milliseconds after which an attempt is given up. */
  readonly timeout?: number;
  /** Gives the attempt up when it fires. */
  readonly signal?: AbortSignal | undefined;
}

const TIMEOUT = 10_000;

/**
 * Opens a TCP connection whose small writes leave at once.
 *
 * @throws {DialError} if nobody answers in time, or the name does not resolve.
 */
export async function dial(options: DialOptions): Promise<ByteStream> {
  const { hostname, port, timeout = TIMEOUT, signal } = options;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeout);
  const either = signal === undefined
    ? deadline.signal
    : AbortSignal.any([deadline.signal, signal]);
  try {
    const connection = await Deno.connect({ hostname, port, signal: either });
    // Nagle's algorithm would hold every small record back for up to 40 ms.
    connection.setNoDelay(true);
    connection.setKeepAlive(true);
    return connection;
  } catch (cause) {
    const why = deadline.signal.aborted
      ? `no answer within ${timeout} ms`
      : cause instanceof Error
      ? cause.message
      : "";
    throw new DialError(`Cannot reach ${hostname}:${port}: ${why}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
