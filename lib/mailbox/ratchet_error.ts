/**
 * Why the ratchet refused:
 * - `ERR_RATCHET_USED`: the letter's key was used already (a duplicate), or kept so long for a letter
 *   that did not come that it was thrown away;
 * - `ERR_RATCHET_UNOPENED`: the letter does not open: altered, or made for another state;
 * - `ERR_RATCHET_TOO_FAR`: more than 1,000 letters before this one are missing;
 * - `ERR_RATCHET_END`: a counter is at its end, a new session is needed;
 * - `ERR_RATCHET_WAITING`: the side that was written to cannot send before it has opened a letter.
 */
export type RatchetErrorCode =
  | "ERR_RATCHET_USED"
  | "ERR_RATCHET_UNOPENED"
  | "ERR_RATCHET_TOO_FAR"
  | "ERR_RATCHET_END"
  | "ERR_RATCHET_WAITING";

/** A letter that the ratchet cannot seal or open; `code` says why. The state is as it was before. */
export class RatchetError extends Error {
  /** Name of the class. */
  override readonly name = "RatchetError";
  /** Stable, for programs. */
  readonly code: RatchetErrorCode;

  /** With the reason as a `code`. */
  constructor(code: RatchetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
