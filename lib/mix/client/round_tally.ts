import { RoundKind } from "../round.ts";
import type { RoundId } from "../round.ts";
import type { RunSettings } from "../settings/run_settings.ts";
import type {
  ChainView,
  ClockView,
  MixClientStatus,
  RoundCounts,
  RoundEnd,
  RoundResult,
} from "./mix_client_event.ts";

/** What is said of the rounds, apart from the connection. */
export type TallyStatus = Omit<MixClientStatus, "joined" | "nextIn">;

/** Before any round has ended. */
export const NO_ROUNDS: RoundCounts = {
  done: 0,
  late: 0,
  failed: 0,
  unknown: 0,
};

/** Counts rounds, and remembers what was promised for them. */
export class RoundTally {
  readonly #chains = new Map<RoundKind, ChainView>();
  #exchange = NO_ROUNDS;
  #dialing = NO_ROUNDS;
  #spent = 0;
  #missing = 0;
  /** The last measurement. */
  clock: ClockView | undefined;

  /** The counts so far. */
  get status(): TallyStatus {
    return {
      chain: this.#chains.get(RoundKind.EXCHANGE),
      clock: this.clock,
      exchange: this.#exchange,
      dialing: this.#dialing,
      spent: this.#spent,
      missing: this.#missing,
    };
  }

  /** Settings were taken; what they promise, and whether it is something else than before. */
  settled(settings: RunSettings): { chain: ChainView; isNew: boolean } {
    const chain = viewOf(settings);
    const before = this.#chains.get(settings.kind);
    const isNew = JSON.stringify(before) !== JSON.stringify(chain);
    this.#chains.set(settings.kind, chain);
    return { chain, isNew };
  }

  /** A round was handed in, with so many contents of a source. */
  submitted({ kind }: RoundId, real: number): void {
    if (kind === RoundKind.EXCHANGE && real > 0) this.#spent++;
  }

  /** A round has ended. */
  over({ kind }: RoundId, { outcome, missing }: RoundEnd): void {
    this.#missing += missing;
    if (kind === RoundKind.EXCHANGE) {
      this.#exchange = oneMore(this.#exchange, outcome);
    } else this.#dialing = oneMore(this.#dialing, outcome);
  }
}

/** What settings promise, for people. */
export function viewOf(settings: RunSettings): ChainView {
  const { kind, mode, period, slots, mixes } = settings;
  return {
    kind,
    mode,
    period,
    slots,
    mixes: mixes.map(({ fingerprint, noise }) => ({
      fingerprint: fingerprint.toHex(),
      noise,
    })),
  };
}

/** With one more round that has ended so. */
export function oneMore(
  counts: RoundCounts,
  outcome: RoundResult,
): RoundCounts {
  return { ...counts, [outcome]: counts[outcome] + 1 };
}
