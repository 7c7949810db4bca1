import { noiseOfChain, perRound } from "../../../lib/mix/mod.ts";
import type {
  ChainView,
  ConversationView,
  RoundKind,
} from "../../../lib/mix/mod.ts";
import { nameOf } from "../entry_line.ts";
import { Peer } from "./peer.ts";

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

  /** A round of that kind was spent on somebody. */
  spend(peer: Peer, kind: RoundKind): void {
    const mixes = this.#chains.get(kind)?.mixes ?? [];
    const noise = noiseOfChain(mixes.map((each) => each.noise));
    peer.budget.spend(perRound(noise, kind));
  }
}
