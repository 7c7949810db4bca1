/** A redirect that cannot be followed. */
export class RedirectError extends Error {
  /** The name of this class. */
  override readonly name = "RedirectError";
  /** Stable, for programs. */
  readonly code = "ERR_REDIRECT";
}
