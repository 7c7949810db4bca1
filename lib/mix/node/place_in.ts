import type { Bytes, DhKeyPair } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import type { NoiseLevel } from "../noise/noise_level.ts";
import type { Run } from "../round.ts";
import type { SettingsFields } from "../settings/settings_fields.ts";

/** A run for which a mix has made keys. */
export interface PreparedRun {
  /** What was asked for. */
  readonly run: Run;
  /** The keys, in the order of the rounds. */
  readonly keyPairs: readonly DhKeyPair[];
  /** The noise that was offered. */
  readonly noise: NoiseLevel;
}

/**
 * The place at which a mix stands in settings that it can sign: those of the run that it has prepared,
 * with its keys and its noise under its name, there and nowhere else.
 *
 * @param fingerprint its own.
 * @throws {MixError} `ERR_MIX_SETTINGS` if they are other settings.
 */
export function placeIn(
  settings: SettingsFields,
  prepared: PreparedRun | undefined,
  coordinator: Bytes,
  fingerprint: Bytes,
): number {
  if (prepared === undefined) throw unusable("no such run was prepared");
  const { run, keyPairs, noise } = prepared;
  const isTheRun = run.kind === settings.kind && run.mode === settings.mode &&
    run.first === settings.first && run.count === settings.count &&
    run.period === settings.period;
  if (!isTheRun) throw unusable("another run was prepared");
  if (!isSame(settings.coordinator, coordinator)) {
    throw unusable("they name another coordinator");
  }
  const names = settings.mixes.map((mix) => mix.fingerprint.toHex());
  if (new Set(names).size < names.length) {
    throw unusable("a mix stands in the chain twice");
  }
  const own = new Set(keyPairs.map(({ publicKey }) => publicKey.toHex()));
  const place = names.indexOf(fingerprint.toHex());
  for (const [i, { onionKeys, noise: theirs }] of settings.mixes.entries()) {
    const isOwn = i === place
      ? onionKeys.every((key, k) => isSame(key, keyPairs[k]!.publicKey)) &&
        theirs.mean === noise.mean && theirs.scale === noise.scale
      : !onionKeys.some((key) => own.has(key.toHex()));
    if (!isOwn) throw unusable("keys or noise are not what was offered");
  }
  if (place < 0) throw unusable("they do not name this mix");
  return place;
}

function isSame(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function unusable(why: string): MixError {
  return new MixError("ERR_MIX_SETTINGS", `Cannot sign settings: ${why}`);
}
