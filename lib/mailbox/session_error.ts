/**
 * Why a session refuses:
 * - `ERR_SESSION_PARTY`: keyring or certificate are not those of the session;
 * - `ERR_SESSION_OTHER`: the letter belongs to another session, or opens none;
 * - `ERR_SESSION_ACKNOWLEDGEMENT`: the peer acknowledges what was never sent;
 * - `ERR_SESSION_END`: a number is at its end or too many runs of messages are missing; a new session
 *   is needed.
 */
export type SessionErrorCode =
  | "ERR_SESSION_PARTY"
  | "ERR_SESSION_OTHER"
  | "ERR_SESSION_ACKNOWLEDGEMENT"
  | "ERR_SESSION_END";

/** A session that cannot do what was asked; `code` says why. */
export class SessionError extends Error {
  /** Name of the class. */
  override readonly name = "SessionError";
  /** Stable, for programs. */
  readonly code: SessionErrorCode;

  /** With the reason as a `code`. */
  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** `ERR_SESSION_PARTY`. */
export function foreignParty(what: string): SessionError {
  return new SessionError(
    "ERR_SESSION_PARTY",
    `Cannot use a session: ${what}`,
  );
}

/** `ERR_SESSION_OTHER`. */
export function otherSession(): SessionError {
  return new SessionError(
    "ERR_SESSION_OTHER",
    "Cannot open a letter: it belongs to another session",
  );
}
