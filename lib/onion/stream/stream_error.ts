/**
 * Why a stream could not be opened or ended early: the words that stand for the numbers of END
 * (SPEC.md §12.6; tor-spec §6.3 has the same list in numbers).
 */
export const END_REASONS = [
  /** Closed as it should be. */
  "done",
  /** The name does not resolve, or only to addresses that are not allowed. */
  "resolve-failed",
  /** The destination refused the connection. */
  "refused",
  /** The exit does not connect to this address or port. */
  "exit-policy",
  /** There is no way to the destination. */
  "unreachable",
  /** The destination, or the exit, did not answer in time. */
  "timeout",
  /** The destination broke the connection. */
  "reset",
  /** The exit has too much to do. */
  "resource-limit",
  /** Rules of the circuit were broken. */
  "protocol",
  /** The circuit is gone, and the stream with it. */
  "circuit-gone",
  /** No circuit could be built. */
  "no-circuit",
  /** Anything else. */
  "misc",
] as const;

/** One of {@linkcode END_REASONS}. */
export type EndReason = typeof END_REASONS[number];

/** A stream that could not be opened, or that ended otherwise than by an orderly end. */
export class StreamError extends Error {
  /** The name of this class. */
  override readonly name = "StreamError";
  /** Stable, for programs. */
  readonly code = "ERR_STREAM";
  /** Why, in a word. */
  readonly reason: EndReason;

  /** `message` says what was attempted and what was seen. */
  constructor(reason: EndReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
