/** What the user named cannot be offered. The message holds names, which are the user's own. */
export class ScanError extends Error {
  /** The name of this class. */
  override readonly name = "ScanError";
  /** Stable, for programs. */
  readonly code = "ERR_SCAN";
}
