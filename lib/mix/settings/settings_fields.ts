import type { Bytes } from "../../protocol/mod.ts";
import type { NoiseLevel } from "../noise/noise_level.ts";
import type { Run } from "../round.ts";

/** A mix of a chain, as the settings of a run name it. */
export interface MixPlace {
  /** SHA-256 of its certificate, 32 bytes. */
  readonly fingerprint: Bytes;
  /** The noise that it adds, if it is not the last. */
  readonly noise: NoiseLevel;
  /** X25519 keys, 32 bytes each: one for every round, or a single one for a run of circuits. */
  readonly onionKeys: readonly Bytes[];
}

/** What is settled for a run (SPEC.md §13). */
export interface SettingsFields extends Run {
  /** Fingerprint of the coordinator's certificate, 32 bytes. */
  readonly coordinator: Bytes;
  /** How long after a round's start onions are taken, in milliseconds: 1 to `period`. */
  readonly window: number;
  /** How many onions everybody hands in, in every round: 1 to 255. */
  readonly slots: number;
  /** How many buckets a dialing round has, 1 to 65,536; 0 in exchange rounds. */
  readonly buckets: number;
  /** The chain, 1 to 8 of them: the first takes what clients hand in. */
  readonly mixes: readonly MixPlace[];
}
