import { MixError, RoundKind, RunMode } from "../../../lib/mix/mod.ts";
import type { ChainView, MixClientEvent } from "../../../lib/mix/mod.ts";
import { describe } from "../../errors.ts";
import { formatDuration } from "../../format_duration.ts";
import { offlineText } from "../event_text.ts";
import type { Standing } from "./chat_view.ts";
import { clockText } from "./clock_text.ts";
import { mixName } from "./mix_name.ts";

type RoundEvent = MixClientEvent & { readonly type: "round" };

/** A clock that is off by less is not worth a word, in milliseconds. */
const SKEW = 2_000;
/** Nor is a way to the server and back that takes less. */
const SLOW = 600;
/** After so many looks without a round to come that is said. */
const LOOKS_IN_VAIN = 15;

/** Tells a person of rounds what is not as it should be, and when it is again; of each only once. */
export class RoundNews {
  readonly #say: (text: string) => void;
  #joined = false;
  #isGone = false;
  #chain: string | undefined;
  #refused = "";
  #problem = "";
  /** Looks in a row without a round to come. */
  #looks = 0;
  #skew = 0;
  #roundTrip = 0;
  /** By how much messages leave earlier, as was said last, in milliseconds. */
  #earlier = 0;
  #lost = 0;

  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** Whether the server has taken this client in, and whether it ever has. */
  get connection(): Standing["connection"] {
    if (!this.#joined) return "never";
    return this.#isGone ? "lost" : "joined";
  }

  /** A second has passed; whether it is known when the next round is. */
  look(hasRound: boolean): void {
    const isInVain = !hasRound && this.connection === "joined";
    this.#looks = isInVain ? this.#looks + 1 : 0;
    if (this.#looks !== LOOKS_IN_VAIN) return;
    this.#say(
      "the server announces no rounds: mixes of its chain may be away; what you say waits",
    );
  }

  /** Which relays there are cannot be found out, so that settings are refused. */
  unknownRelays(error: unknown): void {
    const problem = describe(error);
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#say(
      `${problem}; the chain has relays, and which there are the controllers say: sotto client network set ADDRESS...`,
    );
  }

  /** Something has happened. */
  take(event: MixClientEvent): void {
    switch (event.type) {
      case "joined":
        if (this.#isGone) this.#say("back online");
        this.#joined = true;
        this.#isGone = false;
        return;
      case "gone":
        return this.#gone(event.error);
      case "chain":
        return this.#takeChain(event.chain);
      case "refused":
        return this.#takeRefusal(event.error);
      case "clock":
        return this.#clock(event.clock);
      case "adapted":
        return this.#adapted(event.earlier);
      case "round":
        return this.#round(event);
      case "fault":
        return this.#say(`something went wrong here: ${describe(event.error)}`);
    }
  }

  /** It is taken back in small steps, of which only the last is worth a word. */
  #adapted(earlier: number): void {
    if (earlier === 0) {
      this.#earlier = 0;
      return this.#say("messages are in time again");
    }
    if (earlier < 2 * this.#earlier) return;
    this.#earlier = earlier;
    this.#say(
      `messages came late; from now on they leave ${
        Math.round(earlier)
      } ms earlier`,
    );
  }

  #gone(error: unknown): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (!this.#joined || error instanceof MixError) {
      const why = describe(error);
      return this.#say(
        `${why}; trying again (a server with --no-mix has no rounds)`,
      );
    }
    this.#say(offlineText(error));
  }

  #takeChain({ kind, mode, mixes, period }: ChainView): void {
    if (kind !== RoundKind.EXCHANGE) return;
    const name = mixes.map(({ fingerprint }) => fingerprint).join(" ") + mode;
    if (name === this.#chain) return;
    const isNew = this.#chain === undefined;
    this.#chain = name;
    const seconds = period / 1_000;
    const what = mixes.length === 1
      ? "the server is the only mix: it could see who talks to whom, others cannot"
      : `${mixes.length} mixes: nobody sees who talks to whom unless all of them plot together`;
    this.#say(
      `${
        isNew ? "" : "the chain has changed: "
      }a round every ${seconds} s, ${what} (/privacy tells more)`,
    );
    if (mode === RunMode.CIRCUITS) {
      this.#say(
        "the server chose circuits: mixes can tell which messages of one run are of one client",
      );
    }
  }

  #takeRefusal(error: Error): void {
    if (error.message === this.#refused) return;
    this.#refused = error.message;
    this.#say(`rounds are refused: ${describe(error)}`);
  }

  #clock(
    { ahead, roundTrip }: {
      readonly ahead: number;
      readonly roundTrip: number;
    },
  ): void {
    if (Math.abs(ahead - this.#skew) > SKEW) {
      this.#skew = ahead;
      const by = formatDuration(Math.abs(ahead));
      this.#say(
        `this machine's clock is ${by} ${
          ahead > 0 ? "behind" : "ahead of"
        } the server's; rounds go by the server's`,
      );
    }
    if (roundTrip > SLOW && roundTrip > 2 * this.#roundTrip) {
      this.#roundTrip = roundTrip;
      this.#say(
        `the way to the server and back takes ${
          Math.round(roundTrip)
        } ms; messages leave so much earlier`,
      );
    }
  }

  #round(event: RoundEvent): void {
    if (event.round.kind !== RoundKind.EXCHANGE) return;
    if (event.outcome === "done") {
      if (this.#lost > 0) {
        const { length } = event.chain.mixes;
        this.#say(
          `rounds succeed again, through ${
            length === 1 ? "the server alone" : `${length} mixes`
          }; ${this.#lost === 1 ? "one was" : `${this.#lost} were`} lost`,
        );
      }
      this.#lost = 0;
      return;
    }
    this.#lost++;
    if (this.#lost > 1) return;
    const at = clockText(event.round.start);
    const again = "what was said goes again";
    switch (event.outcome) {
      case "late":
        return this.#say(
          `missed the round of ${at}: its window was over; ${again}`,
        );
      case "failed":
        return this.#say(
          `the round of ${at} failed at ${blame(event)}; ${again}`,
        );
      case "unknown":
        return;
    }
  }
}

/** Which mix a round failed at. */
function blame({ chain, place }: RoundEvent): string {
  if (chain.mixes.length === 1 || place === 0) return "the server";
  const mix = place === undefined ? undefined : chain.mixes[place];
  return mix === undefined
    ? "a mix of the chain"
    : `mix ${place! + 1} of the chain, ${mixName(mix.fingerprint)}`;
}
