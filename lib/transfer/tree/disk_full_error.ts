/** There is no more room on the disk. What was written stays; go on when there is room again. */
export class DiskFullError extends Error {
  /** The name of this class. */
  override readonly name = "DiskFullError";
  /** Stable, for programs. */
  readonly code = "ERR_DISK_FULL";
}

/** `error`, or what it means if it says that the disk or the user's share of it is full. */
export function diskFullOr(error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  if (error.code !== "ENOSPC" && error.code !== "EDQUOT") return error;
  const seen = error.code === "ENOSPC"
    ? "the disk is full"
    : "the quota of the disk is used up";
  return new DiskFullError(`Cannot write: ${seen}`, { cause: error });
}
