/**
 * Why the directory cannot be used:
 * - `ERR_DIRECTORY_UNREACHABLE`: no controller answers;
 * - `ERR_DIRECTORY_DECLINED`: a controller does not do what was asked; `reason` says why, in a word;
 * - `ERR_DIRECTORY_KEY`: whoever answers is not the controller that its address names;
 * - `ERR_DIRECTORY_BEHIND`: a controller has only an older consensus than the one known.
 */
export type DirectoryErrorCode =
  | "ERR_DIRECTORY_UNREACHABLE"
  | "ERR_DIRECTORY_DECLINED"
  | "ERR_DIRECTORY_KEY"
  | "ERR_DIRECTORY_BEHIND";

/** The directory, or one controller, cannot be used; `code` says why. */
export class DirectoryError extends Error {
  /** The name of this class. */
  override readonly name = "DirectoryError";
  /** Stable, for programs. */
  readonly code: DirectoryErrorCode;
  /** What a controller that declined has said, a word of `a-z`, `0-9` and `-`; else empty. */
  readonly reason: string;

  /** With the reason as a `code`. */
  constructor(
    code: DirectoryErrorCode,
    message: string,
    options: ErrorOptions & { readonly reason?: string } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.code = code;
    this.reason = options.reason ?? "";
  }
}
