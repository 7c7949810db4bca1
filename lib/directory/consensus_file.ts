import type { Bytes } from "../protocol/mod.ts";
import type { ConsensusCache } from "./directory.ts";
import { readDurable, replaceDurable } from "./durable_file.ts";

/** A copy of the consensus in the file at `path`; what is missing of its directory is made (0700). */
export function consensusFile(path: string): ConsensusCache {
  return {
    read: (): Promise<Bytes | undefined> => readDurable(path),
    write: (bytes: Bytes): Promise<void> => replaceDurable(path, bytes),
  };
}
