import type { BucketRate } from "../net/mod.ts";

/** How often one address may try what is costly. */
export interface AttemptLimits {
  /** Registrations: each costs the server an RSA key pair. */
  readonly registrations: BucketRate;
}

/** A burst of 20 registrations, then one every 5 s. */
export const DEFAULT_ATTEMPT_LIMITS: AttemptLimits = {
  registrations: { perSecond: 0.2, burst: 20 },
};
