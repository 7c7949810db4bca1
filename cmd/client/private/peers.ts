import { lossPerRound, noiseOfChain, RoundKind } from "../../../lib/mix/mod.ts";
import type {
  ChainView,
  ConversationView,
  RoundOutcome,
} from "../../../lib/mix/mod.ts";
import { nameOf } from "../entry_line.ts";
import { Peer } from "./peer.ts";

/** After so many rounds in a row without the other person that is said. */
const ABSENCES = 8;

/** Everybody with whom one talks, wants to, or has, and what rounds with them cost. */
export class Peers {
  readonly #own: string;
  readonly #all = new Map<string, Peer>();
  /** What the settings promise, by kind of round. */
  readonly #chains = new Map<RoundKind, ChainView>();

  /** `own` is one's own address: whoever is in the same zone is called by the name alone. */
  constructor(own: string) {
    this.#own = own;
  }

  /** How somebody is called. */
  nameOf(address: string): string {
    return nameOf(address, this.#own);
  }

  /** Somebody, if there is or was a conversation. */
  get(address: string): Peer | undefined {
    return this.#all.get(address);
  }

  /** Somebody with whom there is a conversation from now on. */
  of(address: string): Peer {
    const known = this.#all.get(address);
    if (known !== undefined) return known;
    const peer = new Peer(address, this.nameOf(address));
    this.#all.set(address, peer);
    return peer;
  }

  /** Those with whom it is not over. */
  get held(): readonly Peer[] {
    return [...this.#all.values()].filter(({ stage }) => stage !== "over");
  }

  /** Takes over how conversations stand. */
  follow(views: readonly ConversationView[]): void {
    for (const { address, stage, generation } of views) {
      const peer = this.of(address);
      peer.stage = stage;
      peer.generation = generation;
    }
    const held = new Set(views.map(({ address }) => address));
    for (const peer of this.#all.values()) {
      if (!held.has(peer.address)) peer.stage = "over";
    }
  }

  /** From now on rounds are as this promises. */
  promised(chain: ChainView): void {
    this.#chains.set(chain.kind, chain);
  }

  /**
   * An exchange round in which one was at the drop with somebody is over; what a person should know of that,
   * if it is worth a word.
   */
  round(peer: Peer, outcome: RoundOutcome): string | undefined {
    // What came too late was seen by nobody but the server.
    if (outcome !== "late") this.spend(peer, RoundKind.EXCHANGE);
    if (outcome === "exchanged") {
      const wasAway = peer.absent >= ABSENCES && peer.stage !== "over";
      peer.absent = 0;
      return wasAway ? `${peer.name} is back` : undefined;
    }
    if (outcome !== "absent" || peer.stage !== "talking") return undefined;
    peer.absent++;
    return peer.absent === ABSENCES
      ? `${peer.name} was not there in the last ${ABSENCES} rounds; what you say waits`
      : undefined;
  }

  /** A round of that kind was spent on somebody. */
  spend(peer: Peer, kind: RoundKind): void {
    const mixes = this.#chains.get(kind)?.mixes ?? [];
    const noise = noiseOfChain(mixes.map((each) => each.noise));
    peer.budget.spend(lossPerRound(noise, kind));
  }
}
