/** Why a private line does not do what was asked. */
export type LineErrorCode =
  /** As many conversations as fit into a round are held, or are being called. */
  | "ERR_LINE_BUSY"
  /** There is no call or conversation with that person, or it is over. */
  | "ERR_LINE_NOBODY"
  /** There is one already, or it would be with oneself. */
  | "ERR_LINE_TAKEN";

/** A private line does not do what was asked; `code` says why. */
export class LineError extends Error {
  /** Name of the class. */
  override readonly name = "LineError";
  /** Stable, for programs. */
  readonly code: LineErrorCode;

  /** With the reason as a `code`. */
  constructor(code: LineErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
