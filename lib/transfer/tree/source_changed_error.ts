/** A file that is being sent is no longer the one that was scanned; nothing of it is mixed. */
export class SourceChangedError extends Error {
  /** The name of this class. */
  override readonly name = "SourceChangedError";
  /** Stable, for programs. */
  readonly code = "ERR_SOURCE_CHANGED";
  /** The file, as an absolute path. */
  readonly path: string;

  /**
   * An error that names the file.
   *
   * @param path of the file, absolute.
   */
  constructor(path: string, seen: string, cause?: unknown) {
    super(
      `Cannot send ${path}: ${seen}`,
      cause === undefined ? undefined : { cause },
    );
    this.path = path;
  }
}
