import type { BucketRate } from "../../net/mod.ts";

/** How much a relay takes on. */
export interface RelayLimits {
  /** Circuits at once. */
  readonly circuits: number;
  /** Bytes of cells that may wait in all; above it the circuit with the oldest goes. */
  readonly memory: number;
  /** Bytes per second of cells that are taken in; as many as come if not given. */
  readonly bandwidth: number | undefined;
  /** New circuits from one address. */
  readonly creates: BucketRate;
}

/** 10,000 circuits, 48 MiB, 100 new circuits a second from one address after the first 1,000. */
export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  circuits: 10_000,
  memory: 48 * 2 ** 20,
  bandwidth: undefined,
  creates: { perSecond: 100, burst: 1_000 },
};
