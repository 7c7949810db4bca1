/**
 * What tells whether a file is still the one that was scanned. A system that lacks one of these
 * gives null or 0 for it each time, so that it does not count.
 */
export interface FileFingerprint {
  /** In bytes. */
  readonly size: number;
  /** Last change of the content, in milliseconds since 1970. */
  readonly modified: number | null;
  /** Last change of content, name count, owner or mode, as finely as the platform tells. */
  readonly changed: number | null;
  /** Number of the file on its disk. */
  readonly inode: number | null;
  /** Number of the disk. */
  readonly device: number;
}

/** A file that is sent. */
export interface SourceFile {
  /** Absolute, as the file system names it. */
  readonly path: string;
  /** As it was scanned. */
  readonly fingerprint: FileFingerprint;
}

/** What the file system says of a file, as a fingerprint. */
export function fingerprintOf(info: Deno.FileInfo): FileFingerprint {
  return {
    size: info.size,
    modified: info.mtime?.getTime() ?? null,
    changed: info.ctime?.getTime() ?? null,
    inode: info.ino,
    device: info.dev,
  };
}

/** Whether `a` and `b` are the same file in the same state. */
export function sameFile(a: FileFingerprint, b: FileFingerprint): boolean {
  return a.size === b.size && a.modified === b.modified &&
    a.changed === b.changed && a.inode === b.inode && a.device === b.device;
}
