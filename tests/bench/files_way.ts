import type { Cost } from "./files_cost.ts";

/** A way to bring files from one place to another. */
export interface Way {
  /**
   * Brings a file or directory into a directory, where it has the same name.
   *
   * @param from an absolute path.
   * @param to the absolute path of a directory that is there.
   */
  bring(from: string, to: string): Promise<Cost>;
}

/** Ways that share what was started for them. */
export interface Ways extends AsyncDisposable {
  readonly ways: Readonly<Record<string, Way>>;
}
