import type { BucketRate } from "../../net/mod.ts";

/** What a controller takes on; times in milliseconds. */
export interface ControllerLimits {
  /** Registrations from one address. */
  readonly registrations: BucketRate;
  /** Requests for the consensus or for headers from one address. */
  readonly fetches: BucketRate;
  /** Whether relays may have addresses that are not public, and loopback is not held back. */
  readonly allowPrivate: boolean;
  /** Silence that is taken from somebody who has not proved anything. */
  readonly guestPatience: number;
  /** Relays that are connected back to at a time, for all who ask. */
  readonly probes: number;
  /** Between two signs of life of a relay. */
  readonly aliveEvery: number;
  /** Until a relay is looked at again. */
  readonly probeEvery: number;
}

/** 1 registration a second from an address (30 at once), 10 fetches (200 at once), a look every 10 minutes. */
export const DEFAULT_CONTROLLER_LIMITS: ControllerLimits = {
  registrations: { perSecond: 1, burst: 30 },
  fetches: { perSecond: 10, burst: 200 },
  allowPrivate: false,
  guestPatience: 10_000,
  probes: 256,
  aliveEvery: 30_000,
  probeEvery: 600_000,
};
