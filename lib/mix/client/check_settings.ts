import { equalConstantTime } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import { RunMode } from "../round.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import type { MixPolicy } from "./mix_client_options.ts";

/** Onions for one round beyond this are more than anybody needs, and a way to keep a client busy. */
const SLOTS_LIMIT = 16;
/** A run that begins later than this is not announced yet, in milliseconds. */
const AHEAD_LIMIT = 3_600_000;
/** In less, nothing can be handed in at an unforeseen time, in milliseconds. */
const SHORTEST_WINDOW = 50;

/**
 * Holds settings against what this client insists on, beside the signatures.
 *
 * @param now milliseconds since 1970 on the coordinator's clock.
 * @throws {MixError} `ERR_MIX_SETTINGS`
 */
export function checkSettings(
  settings: RunSettings,
  policy: MixPolicy,
  now: number,
): void {
  const { coordinator, mixes, mode, slots, window, first, count, period } =
    settings;
  const fault = !equalConstantTime(coordinator, policy.coordinator)
    ? "they are another coordinator's"
    : mixes.length < policy.leastMixes
    ? `${mixes.length} mixes, not ${policy.leastMixes}`
    : mode === RunMode.CIRCUITS && policy.circuits === false
    ? "circuits, which are not wanted"
    : slots > SLOTS_LIMIT
    ? `${slots} slots`
    : window < SHORTEST_WINDOW
    ? `a window of ${window} ms`
    : first + (count - 1) * period < now
    ? "their rounds are over"
    : first > now + AHEAD_LIMIT
    ? "they are for much later"
    : undefined;
  if (fault !== undefined) throw unusable(fault);
}

/** Settings that will not be used. */
export function unusable(why: string, options?: ErrorOptions): MixError {
  return new MixError(
    "ERR_MIX_SETTINGS",
    `Cannot use settings: ${why}`,
    options,
  );
}
