/** What every entry has: where it is, who may use it and how old it is. */
export interface Place {
  /** Relative to what is sent, "/" between the components. */
  readonly path: string;
  /** Permissions, 0..0o777: never setuid, setgid or sticky. */
  readonly mode: number;
  /** When its content was last changed, in milliseconds since 1970; 0 for anything older. */
  readonly modified: number;
}

/** A regular file. */
export interface FileEntry extends Place {
  /** Which kind of entry this is. */
  readonly kind: "file";
  /** Of the content, in bytes. */
  readonly size: number;
}

/** A directory; what lies in it are entries of their own. */
export interface DirectoryEntry extends Place {
  /** Which kind of entry this is. */
  readonly kind: "directory";
}

/** A symbolic link, kept as a link. */
export interface LinkEntry extends Place {
  /** Which kind of entry this is. */
  readonly kind: "link";
  /** What it points to, as it stands in the link: relative, and within the same top-level entry. */
  readonly target: string;
}

/** One thing that is sent. */
export type TreeEntry = FileEntry | DirectoryEntry | LinkEntry;

/** All that is sent, but for the contents of the files. */
export interface Manifest {
  /** What is offered, for people: the name of the file or directory, or "3 files". One component. */
  readonly name: string;
  /** In the byte order of their paths, so that a directory stands before what it holds. */
  readonly entries: readonly TreeEntry[];
}

/** The content of `entry` in the layout, in bytes: only files have any. */
export function contentSize(entry: TreeEntry): number {
  return entry.kind === "file" ? entry.size : 0;
}
