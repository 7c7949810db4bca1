import { SIGNATURE_BYTES, X25519_BYTES } from "../../protocol/mod.ts";
import { BUCKET_LIMIT } from "../dialing/buckets.ts";
import { MEAN_LIMIT, SCALE_LIMIT } from "../noise/noise_level.ts";
import type { NoiseLevel } from "../noise/noise_level.ts";
import { RoundKind, RunMode } from "../round.ts";
import type { Run } from "../round.ts";
import type { SettingsFields } from "./settings_fields.ts";

/** Length of a node's fingerprint in bytes. */
export const FINGERPRINT_BYTES = 32;
/** Most mixes in a chain. */
export const CHAIN_LIMIT = 8;
/** Longest settings with all their signatures, in bytes: what fits into one parameter. */
export const SETTINGS_LIMIT = 65_535;

const COUNT_LIMIT = 512;
const PERIOD_MINIMUM = 200;
const PERIOD_LIMIT = 600_000;
const SLOTS_LIMIT = 255;
/** Later than this no run begins, so that every moment of it is a whole number exactly. */
const FIRST_LIMIT = 2 ** 52;
/** Length of what stands in front of the mixes, in bytes. */
const HEAD_BYTES = 1 + FINGERPRINT_BYTES + 1 + 1 + 8 + 2 + 4 + 4 + 1 + 4 + 1;

/** How many onion keys a mix has for a run. */
export function keysOf({ mode, count }: Pick<Run, "mode" | "count">): number {
  return mode === RunMode.CIRCUITS ? 1 : count;
}

/** What is wrong with a run, if anything is. */
export function faultOfRun(run: Run): string | undefined {
  const { kind, mode, first, count, period } = run;
  const isKind = kind === RoundKind.EXCHANGE || kind === RoundKind.DIALING;
  const isMode = mode === RunMode.ROUNDS || mode === RunMode.CIRCUITS;
  return firstOf([
    [isKind, `kind ${kind}`],
    [isMode, `mode ${mode}`],
    [within(first, 0, FIRST_LIMIT), `it begins at ${first}`],
    [within(count, 1, COUNT_LIMIT), `${count} rounds`],
    [within(period, PERIOD_MINIMUM, PERIOD_LIMIT), `${period} ms a round`],
  ]);
}

/** What is wrong with a noise level, if anything is. */
export function faultOfNoise({ mean, scale }: NoiseLevel): string | undefined {
  return firstOf([
    [within(mean, 0, MEAN_LIMIT), `noise of mean ${mean}`],
    [within(scale, mean > 0 ? 1 : 0, SCALE_LIMIT), `noise of scale ${scale}`],
  ]);
}

/** What is wrong with everything in front of the mixes, if anything is. */
export function faultOfHead(
  head: Omit<SettingsFields, "coordinator" | "mixes">,
): string | undefined {
  const { kind, period, window, slots, buckets } = head;
  const isBuckets = kind === RoundKind.DIALING
    ? within(buckets, 1, BUCKET_LIMIT)
    : buckets === 0;
  return faultOfRun(head) ?? firstOf([
    [within(window, 1, period), `a window of ${window} ms`],
    [within(slots, 1, SLOTS_LIMIT), `${slots} slots`],
    [isBuckets, `${buckets} buckets`],
  ]);
}

/** What is wrong with a chain of so many mixes, if anything is. */
export function faultOfChain(
  mixes: number,
  run: Pick<Run, "mode" | "count">,
): string | undefined {
  const place = FINGERPRINT_BYTES + 8 + keysOf(run) * X25519_BYTES +
    SIGNATURE_BYTES;
  return firstOf([
    [within(mixes, 1, CHAIN_LIMIT), `${mixes} mixes`],
    [HEAD_BYTES + mixes * place <= SETTINGS_LIMIT, "it is too long"],
  ]);
}

/** What is wrong with all of it, if anything is. */
export function faultOfSettings(fields: SettingsFields): string | undefined {
  const { coordinator, mixes } = fields;
  const keys = keysOf(fields);
  const areKeys = mixes.every(({ onionKeys }) =>
    onionKeys.length === keys &&
    onionKeys.every((key) => key.length === X25519_BYTES)
  );
  const areNamed = [coordinator, ...mixes.map((mix) => mix.fingerprint)]
    .every((fingerprint) => fingerprint.length === FINGERPRINT_BYTES);
  return faultOfHead(fields) ?? faultOfChain(mixes.length, fields) ??
    firstOf([
      [areNamed, "no fingerprint"],
      [areKeys, "not the keys of its rounds"],
    ]) ?? mixes.map(({ noise }) => faultOfNoise(noise)).find(Boolean);
}

function firstOf(
  checks: readonly (readonly [boolean, string])[],
): string | undefined {
  return checks.find(([holds]) => !holds)?.[1];
}

function within(value: number, fewest: number, most: number): boolean {
  return Number.isInteger(value) && value >= fewest && value <= most;
}
