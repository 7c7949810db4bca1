/** Why a channel ended otherwise than by an authenticated CLOSE. */
export type ChannelErrorCode =
  /** The connection ended without CLOSE: somebody on the way may have cut it. */
  | "ERR_CHANNEL_CUT"
  /** A record does not open: altered on the way, or the two sides hold different keys. */
  | "ERR_CHANNEL_FORGED"
  /** The other side broke the rules of the wire. */
  | "ERR_CHANNEL_VIOLATION"
  /** The other side does not hold the key it was asked to prove. */
  | "ERR_HANDSHAKE_FAILED"
  /** The channel was closed here. */
  | "ERR_CHANNEL_CLOSED";

/** A channel that cannot go on. It has closed its stream. */
export class ChannelError extends Error {
  /** The name of this class. */
  override readonly name = "ChannelError";
  /** Stable, for programs. */
  readonly code: ChannelErrorCode;

  /** With the reason as a `code`. */
  constructor(code: ChannelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a call gets that comes after the channel was closed on this side, or is ended by it. */
export function closedHere(action: "send" | "receive"): ChannelError {
  return new ChannelError(
    "ERR_CHANNEL_CLOSED",
    `Cannot ${action}: the channel is closed`,
  );
}

/** A body is not where it was announced, or not as long (SPEC.md §4.7). */
export function strayBody(): ChannelError {
  return new ChannelError(
    "ERR_CHANNEL_VIOLATION",
    "Cannot take a body: it does not follow its announcement, or is longer",
  );
}

/** Something was sent between the two parts of a mix, when nobody may speak (SPEC.md §4.3). */
export function tooEarly(): ChannelError {
  return new ChannelError(
    "ERR_CHANNEL_VIOLATION",
    "Cannot change keys: the other side has sent more under the old ones",
  );
}
