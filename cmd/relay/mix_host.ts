import type { NodeKeyring } from "../../lib/identity/mod.ts";
import { MixHost, SYSTEM_TIMERS } from "../../lib/mix/mod.ts";
import { mixEngines } from "../mix_engines.ts";
import { noiseOf } from "../mix_noise.ts";
import type { RelayMixSettings } from "./settings.ts";

/** What a relay is as a mix; it shares the relay's port and keys. */
export function openMixHost(
  keyring: NodeKeyring,
  { coordinators, noise }: RelayMixSettings,
): MixHost {
  return new MixHost({
    keyring,
    coordinators: coordinators.length === 0 ? "any" : coordinators,
    noise: (kind) => noiseOf(noise, kind),
    engines: mixEngines(),
    timers: SYSTEM_TIMERS,
  });
}
