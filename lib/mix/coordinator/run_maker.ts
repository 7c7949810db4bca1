import type { Bytes } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import type { MixOffer, MixPeer } from "../mix_peer.ts";
import type { Run } from "../round.ts";
import { encodeSettings } from "../settings/run_settings.ts";
import { faultOfNoise, keysOf } from "../settings/settings_rules.ts";
import { joinSettings, verifySettings } from "../settings/signed_settings.ts";
import type { RoundPlan } from "./schedule.ts";
import { windowOf } from "./schedule.ts";
import type { MixTimers } from "../mix_timers.ts";
import { within } from "../mix_timers.ts";

/** A run that every mix of its chain has signed. */
export interface MadeRun {
  /** Its rounds. */
  readonly run: Run;
  /** The chain, first to last. */
  readonly mixes: readonly MixPeer[];
  /** What clients are told: the settings with the signatures. */
  readonly document: Bytes;
  /** When that was ready, in milliseconds since 1970. */
  readonly madeAt: number;
}

/** What runs are made of. */
export interface RunParts {
  /** Fingerprint of the coordinator's certificate, 32 bytes. */
  readonly coordinator: Bytes;
  /** The mixes that are to be in the chain, first to last. */
  readonly chain: () => Promise<readonly MixPeer[]>;
  /** How many of them are enough; all of them if it is left out. */
  readonly least?: number | undefined;
  /** What a mix may take for an answer, in milliseconds. */
  readonly patience: number;
  /** The time. */
  readonly timers: MixTimers;
}

/** Asks mixes for their part of settings and for their signatures. */
export class RunMaker {
  readonly #parts: RunParts;
  readonly #plan: RoundPlan;

  /** For rounds of one kind, that follow each other as in `plan`. */
  constructor(parts: RunParts, plan: RoundPlan) {
    this.#parts = parts;
    this.#plan = plan;
  }

  /**
   * Makes a run. Mixes that do not answer are left out if enough are left; the first one never is.
   *
   * @param next says which run is to be made now: asked again whenever mixes were left out.
   * @param signal gives it up.
   * @throws {MixError} if mixes are missing, or what they say does not fit together.
   */
  async make(next: () => Run, signal: AbortSignal): Promise<MadeRun> {
    const { chain, least } = this.#parts;
    let mixes = await this.#wait(chain(), signal, "find a chain");
    const enough = Math.max(1, least ?? mixes.length);
    for (;;) {
      const run = next();
      const offers = await this.#ask(mixes, enough, signal, async (mix) => {
        return checked(await mix.prepare(run), run);
      });
      mixes = [...offers.keys()];
      const body = this.#settle(run, offers);
      const signatures = await this.#ask(
        mixes,
        enough,
        signal,
        async (mix) => await mix.sign(body),
      );
      if (signatures.size === mixes.length) {
        const document = joinSettings(body, [...signatures.values()]);
        await verify(document, mixes);
        const madeAt = this.#parts.timers.now();
        return { run, mixes, document, madeAt };
      }
      // What the others have signed names one that has not.
      mixes = [...signatures.keys()];
    }
  }

  #settle(run: Run, offers: ReadonlyMap<MixPeer, MixOffer>): Bytes {
    const { slots, buckets } = this.#plan;
    return encodeSettings({
      ...run,
      coordinator: this.#parts.coordinator,
      window: windowOf(this.#plan),
      slots,
      buckets,
      mixes: Array.from(offers, ([{ identity }, { noise, onionKeys }]) => ({
        fingerprint: identity.fingerprint,
        noise,
        onionKeys,
      })),
    });
  }

  /** What the mixes answer that do, in the order of the chain. */
  async #ask<T>(
    mixes: readonly MixPeer[],
    enough: number,
    signal: AbortSignal,
    ask: (mix: MixPeer) => Promise<T>,
  ): Promise<Map<MixPeer, T>> {
    const results = await Promise.allSettled(
      mixes.map((mix) => this.#wait(ask(mix), signal, "ask a mix")),
    );
    const answers = new Map<MixPeer, T>();
    let cause: unknown;
    results.forEach((result, place) => {
      if (result.status === "fulfilled") {
        answers.set(mixes[place]!, result.value);
      } else cause ??= result.reason;
    });
    if (answers.size >= enough && results[0]?.status === "fulfilled") {
      return answers;
    }
    throw new MixError(
      "ERR_MIX_GONE",
      `Cannot make a run: ${answers.size} of ${mixes.length} mixes answer`,
      { cause },
    );
  }

  #wait<T>(
    action: Promise<T>,
    signal: AbortSignal,
    step: string,
  ): Promise<T> {
    const { timers, patience } = this.#parts;
    return within(timers, patience, signal, action, step);
  }
}

/** One mix that offers nonsense must not spoil the settings of all. */
function checked(offer: MixOffer, run: Run): MixOffer {
  const { onionKeys, noise } = offer;
  const fits = onionKeys.length === keysOf(run) &&
    onionKeys.every((key) => key.length === 32) &&
    faultOfNoise(noise) === undefined;
  if (fits) return offer;
  throw new MixError(
    "ERR_MIX_REFUSED",
    "Cannot use a mix: its keys or its noise do not fit the run",
  );
}

/** Clients would refuse the settings, and could not say whose fault it is. */
async function verify(
  document: Bytes,
  mixes: readonly MixPeer[],
): Promise<void> {
  await verifySettings(
    document,
    (fingerprint) =>
      mixes.map(({ identity }) => identity).find((identity) =>
        identity.fingerprint.toHex() === fingerprint.toHex()
      ),
  );
}
