import {
  MEAN_LIMIT,
  NOISE_LEVELS,
  SCALE_LIMIT,
} from "../lib/mix/noise/noise_level.ts";
import type { NoiseLevel } from "../lib/mix/noise/noise_level.ts";
import { RoundKind } from "../lib/mix/round.ts";
import { UsageError } from "./errors.ts";

/**
 * The noise that `--mix-noise` asks for: a level with a name, or MEAN,SCALE; "small" if it is not given.
 *
 * @throws {UsageError} if it is neither, or out of its range.
 */
export function parseMixNoise(text = "small"): NoiseLevel {
  const named = Object.entries(NOISE_LEVELS).find(([name]) => name === text);
  if (named !== undefined) return named[1];
  const [, mean, scale] = /^(\d{1,7}),(\d{1,6})$/.exec(text) ?? [];
  const level = { mean: Number(mean), scale: Number(scale) };
  const possible = level.mean <= MEAN_LIMIT && level.scale <= SCALE_LIMIT &&
    (level.scale > 0 || level.mean === 0);
  if (possible) return level;
  throw new UsageError(`--mix-noise cannot be ${text}`, {
    hint: `${
      Object.keys(NOISE_LEVELS).join(", ")
    } or MEAN,SCALE as in "3000,150"`,
  });
}

/**
 * The level for rounds of a kind: in dialing rounds a tenth. People call far less often than they talk, and
 * every client fetches the noise of its bucket.
 */
export function noiseOf(level: NoiseLevel, kind: RoundKind): NoiseLevel {
  if (kind === RoundKind.EXCHANGE) return level;
  return {
    mean: Math.ceil(level.mean / 10),
    scale: Math.ceil(level.scale / 10),
  };
}

/** What the help of every command with `--mix-noise` says of it. */
export const MIX_NOISE_HELP =
  `  --mix-noise LEVEL        messages of its own that it adds to a round if it is not the last of the chain, so
                           that nobody can count who talks: none, lab (20), small (3000), strong (20000) or
                           MEAN,SCALE; small if not given. Twice so many are made: with small, each of three
                           mixes needs one to two processors of its own while somebody takes part; with
                           strong, seven times as much. lab is for trying it out, and protects nothing
`;
