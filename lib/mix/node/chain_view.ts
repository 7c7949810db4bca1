import type { Bytes } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import { indexIn, RoundKind, roundName } from "../round.ts";
import type { RoundId } from "../round.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import { sizesOf } from "../sizes.ts";
import type { RoundSizes } from "../sizes.ts";
import { SIGNED_LIMIT } from "./mix_limits.ts";
import { noiseLimit } from "./noise_ahead.ts";

/** How long a batch can be that a mix is to give, in bytes. */
export interface Due {
  /** Not more. */
  readonly most: number;
  /** Not less. */
  readonly least: number;
  /** A multiple of this. */
  readonly size: number;
}

/** Most bytes of the filters of a dialing round. */
const FILTERS_LIMIT = 2 ** 27;

/**
 * What a coordinator knows of one mix's part in rounds: how long its batches can be, from the settings
 * that it has signed and the onions that it was given.
 */
export class ChainView {
  readonly #fingerprint: string;
  /** The newest first. */
  #runs: readonly RunSettings[] = [];
  /** Onions that were added, by round. */
  readonly #added = new Map<string, number>();

  /** @param fingerprint the mix's, 32 bytes. */
  constructor(fingerprint: Bytes) {
    this.#fingerprint = fingerprint.toHex();
  }

  /** The mix has signed these. */
  signed(settings: RunSettings): void {
    this.#runs = [settings, ...this.#runs].slice(0, 2 * SIGNED_LIMIT);
  }

  /**
   * Onions are given to the mix; the length of each.
   *
   * @param bytes how many there are of them.
   * @throws {MixError} if the round is not known, or they are not whole.
   */
  add(round: RoundId, bytes: number): number {
    const { sizes: { onion } } = this.#at(round);
    if (bytes % onion !== 0) {
      throw new MixError("ERR_MIX_REFUSED", "Cannot add onions: not whole");
    }
    const name = roundName(round);
    this.#added.set(name, (this.#added.get(name) ?? 0) + bytes / onion);
    return onion;
  }

  /** What the mix gives when the round is closed. @throws {MixError} if that is not known. */
  forth(round: RoundId): Due {
    const { run, place, isLast, sizes } = this.#at(round);
    const added = this.#added.get(roundName(round)) ?? 0;
    if (!isLast) {
      const noise = noiseLimit(run.mixes[place]!.noise, run);
      const { inner: size } = sizes;
      return { least: 0, most: (added + noise) * size, size };
    }
    if (run.kind === RoundKind.DIALING) {
      return { least: 0, most: FILTERS_LIMIT, size: 1 };
    }
    return exactly(added, sizes.reply);
  }

  /**
   * What the mix gives for replies, and the length of each of these.
   *
   * @throws {MixError} as `forth`, or if the mix takes none in such a round.
   */
  back(round: RoundId): { readonly size: number; readonly due: Due } {
    if (!this.comesBack(round)) {
      throw new MixError("ERR_MIX_ROUND", "Cannot give replies: none are due");
    }
    const { sizes } = this.#at(round);
    const added = this.#added.get(roundName(round)) ?? 0;
    return { size: sizes.innerReply, due: exactly(added, sizes.reply) };
  }

  /** Whether replies are to be given to the mix after `close`. @throws {MixError} as `forth`. */
  comesBack(round: RoundId): boolean {
    return !this.#at(round).isLast && round.kind === RoundKind.EXCHANGE;
  }

  /** The round is over. */
  end(round: RoundId): void {
    this.#added.delete(roundName(round));
  }

  #at(round: RoundId): {
    readonly run: RunSettings;
    readonly place: number;
    readonly isLast: boolean;
    readonly sizes: RoundSizes;
  } {
    for (const run of this.#runs) {
      const index = indexIn(run, round.start);
      if (run.kind !== round.kind || index === undefined) continue;
      const place = run.mixes.findIndex(({ fingerprint }) =>
        fingerprint.toHex() === this.#fingerprint
      );
      const behind = run.mixes.length - place - 1;
      const sizes = sizesOf(run.kind, run.mode, index, behind);
      return { run, place, isLast: behind === 0, sizes };
    }
    throw new MixError(
      "ERR_MIX_ROUND",
      "Cannot go on with a round: the mix has signed nothing for it",
    );
  }
}

function exactly(count: number, size: number): Due {
  return { least: count * size, most: count * size, size };
}
