/** What is wrong with a transfer that was begun, for programs. */
export type PartErrorCode =
  /** It is not there as it was left: begin again. */
  | "ERR_PART_LOST"
  /** Another process writes it. */
  | "ERR_PART_BUSY"
  /** Others on this machine have access to it, or it is no directory. */
  | "ERR_PART_UNSAFE";

/** The directory of a transfer that was begun cannot be gone on with. */
export class PartError extends Error {
  /** The name of this class. */
  override readonly name = "PartError";
  /** Stable, for programs. */
  readonly code: PartErrorCode;

  /**
   * An error that says what was tried and what was seen.
   *
   * @param message "Cannot ACTION: WHAT WAS SEEN".
   */
  constructor(message: string, code: PartErrorCode, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
