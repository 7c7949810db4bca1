import type { Argon2Cost } from "../protocol/mod.ts";

/** What new passphrases are stretched by: 64 MiB, 3 passes, as the second choice of RFC 9106 §4. */
export const DEFAULT_COST: Argon2Cost = { memoryKiB: 65_536, passes: 3 };

/** The least that is accepted from anywhere: 19 MiB, 2 passes (OWASP's minimum for Argon2id). */
export const MINIMUM_COST: Argon2Cost = { memoryKiB: 19_456, passes: 2 };

/** The most: 1 GiB, 16 passes, so that nobody can make another's machine burn memory and time. */
export const MAXIMUM_COST: Argon2Cost = { memoryKiB: 1_048_576, passes: 16 };

/**
 * Stretching parameters below the minimum. Whoever hands them out would find the passphrase more
 * easily from what is made with them, so that nothing may be made.
 */
export class WeakCostError extends Error {
  /** The name of this class. */
  override readonly name = "WeakCostError";
  /** Stable, for programs. */
  readonly code = "ERR_WEAK_COST";
}

/** Stretching parameters above the maximum: following them would exhaust the machine. */
export class ExcessiveCostError extends Error {
  /** The name of this class. */
  override readonly name = "ExcessiveCostError";
  /** Stable, for programs. */
  readonly code = "ERR_EXCESSIVE_COST";
}

/**
 * Insists that `cost` lies between `MINIMUM_COST` and `MAXIMUM_COST` in both respects.
 *
 * @throws {WeakCostError} below, or if a value is no whole number.
 * @throws {ExcessiveCostError} above.
 */
export function checkCost(cost: Argon2Cost): void {
  const { memoryKiB, passes } = cost;
  const seen = `${memoryKiB} KiB and ${passes} passes`;
  if (
    !Number.isInteger(memoryKiB) || !Number.isInteger(passes) ||
    memoryKiB < MINIMUM_COST.memoryKiB || passes < MINIMUM_COST.passes
  ) {
    throw new WeakCostError(
      `Cannot stretch a passphrase: ${seen} are too weak, at least ${MINIMUM_COST.memoryKiB} KiB and ${MINIMUM_COST.passes} passes are needed`,
    );
  }
  if (memoryKiB > MAXIMUM_COST.memoryKiB || passes > MAXIMUM_COST.passes) {
    throw new ExcessiveCostError(
      `Cannot stretch a passphrase: ${seen} are too much, at most ${MAXIMUM_COST.memoryKiB} KiB and ${MAXIMUM_COST.passes} passes are accepted`,
    );
  }
}
