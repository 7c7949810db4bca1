/** Bytes that do not parse: too short, too long, or with a field out of its range. */
export class MalformedError extends Error {
  /** The name of this class. */
  override readonly name = "MalformedError";
  /** Stable, for programs. */
  readonly code = "ERR_MALFORMED";
}
