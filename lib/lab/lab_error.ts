/** What can go wrong with a lab, for programs. */
export type LabErrorCode =
  /** What was asked for is no network, or not the one that lies there. */
  | "ERR_LAB_PLAN"
  /** A member has ended that should go on. */
  | "ERR_LAB_ENDED"
  /** Something has not come up, or not happened, in time. */
  | "ERR_LAB_LATE"
  /** There is no such member, or it runs already. */
  | "ERR_LAB_MEMBER";

/** A lab, or a member of it, did not do what it should. */
export class LabError extends Error {
  /** The name of this class. */
  override readonly name = "LabError";
  /** Stable, for programs. */
  readonly code: LabErrorCode;
  /** Whom it is about, each with the last lines that it has printed. */
  readonly logs: ReadonlyMap<string, string>;

  constructor(
    code: LabErrorCode,
    message: string,
    options: ErrorOptions & { logs?: ReadonlyMap<string, string> } = {},
  ) {
    super(message, options);
    this.code = code;
    this.logs = options.logs ?? new Map();
  }
}
