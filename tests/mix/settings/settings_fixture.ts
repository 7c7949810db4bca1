import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import type { MixPlace } from "../../../lib/mix/settings/settings_fields.ts";
import type { SettingsFields } from "../../../lib/mix/settings/settings_fields.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";

/** A mix that stands in settings with random keys. */
export function somePlace(
  keys: number,
  fingerprint = randomBytes(32),
): MixPlace {
  return {
    fingerprint,
    noise: { mean: 20, scale: 5 },
    onionKeys: Array.from({ length: keys }, () => randomBytes(32)),
  };
}

/** Settings that hold, of a run of three exchange rounds through two mixes. */
export function someFields(
  changes: Partial<SettingsFields> = {},
): SettingsFields {
  return {
    coordinator: randomBytes(32),
    kind: RoundKind.EXCHANGE,
    mode: RunMode.ROUNDS,
    first: 1_800_000_000_000,
    count: 3,
    period: 2_000,
    window: 1_200,
    slots: 3,
    buckets: 0,
    mixes: [somePlace(3), somePlace(3)],
    ...changes,
  };
}
