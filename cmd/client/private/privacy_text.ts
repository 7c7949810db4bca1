import { lossInWords, RunMode } from "../../../lib/mix/mod.ts";
import type { ChainView, PrivacyLoss } from "../../../lib/mix/mod.ts";
import { mixName } from "./mix_name.ts";

/** What is known when somebody asks how private this is. */
export interface PrivacyFacts {
  /** What the signed settings promise; `undefined` before there are any. */
  readonly chain: ChainView | undefined;
  /** Who each mix of the chain is, for people, in its order. */
  readonly places: readonly string[];
  /** With whom, for people; `undefined` while there is nobody. */
  readonly name: string | undefined;
  /** Rounds in which one was at the drop with that person. */
  readonly rounds: number;
  /** What they cost. */
  readonly loss: PrivacyLoss;
  /** Whether the server is reached through the onion network. */
  readonly onion: boolean;
  /** See `ConversationView`. */
  readonly generation: number;
  /** Own covers that were dropped on the way. */
  readonly missing: number;
}

/** The privacy meter, and in plain words what is hidden from whom. */
export function privacyText(facts: PrivacyFacts): string {
  const { chain } = facts;
  if (chain === undefined) {
    return "no rounds yet: nothing is known of the mixes, and nothing has been said";
  }
  const parts = [meterText(facts), "", ...mixes(facts, chain), ""];
  parts.push("Hidden:");
  parts.push(...hidden(facts, chain).map((each) => `  + ${each}`));
  parts.push("Not hidden:");
  parts.push(...open(facts, chain).map((each) => `  - ${each}`));
  if (facts.missing > 0) {
    parts.push(
      "",
      `${facts.missing} of your own cover messages did not come back: a mix drops some, or tries to single you out.`,
    );
  }
  return parts.join("\n");
}

/** The privacy meter alone: what the rounds with somebody have cost. */
export function meterText(
  { name, rounds, loss, chain }: Pick<
    PrivacyFacts,
    "name" | "rounds" | "loss" | "chain"
  >,
): string {
  if (name === undefined) {
    return "You talk with nobody: every round of yours is cover, and costs nothing.";
  }
  const spent = `${rounds} ${rounds === 1 ? "round" : "rounds"} with ${name}`;
  if (chain?.mixes.length === 1) {
    return `${spent}. A chain of one has no noise, and there is nothing to measure: you trust the server.`;
  }
  return `${spent}: epsilon ${number(loss.epsilon)}, delta ${
    number(loss.delta)
  }.\n${lossInWords(loss)}`;
}

function mixes({ places }: PrivacyFacts, chain: ChainView): string[] {
  const last = chain.mixes.length - 1;
  const list = chain.mixes.map(({ fingerprint, noise }, index) =>
    `  ${index + 1}. ${places[index] ?? ""} ${mixName(fingerprint)}  ${
      index === last
        ? "(the last; it adds no noise)"
        : `noise ${noise.mean} ± ${noise.scale}`
    }`
  );
  const mode = chain.mode === RunMode.CIRCUITS ? "circuits" : "rounds";
  return [
    `The chain (mode ${mode}, a round every ${
      chain.period / 1_000
    } s, ${chain.slots} messages each):`,
    ...list,
  ];
}

function hidden({ generation }: PrivacyFacts, chain: ChainView): string[] {
  return [
    chain.mixes.length === 1
      ? "whether and with whom you talk, from everybody on the network but the server"
      : `whether and with whom you talk, within the bounds above, as long as one of the ${chain.mixes.length} mixes is honest`,
    "what is said: sealed end to end" +
    (generation >= 2
      ? ", with keys that quantum computers do not break"
      : generation === 1
      ? ", with keys of this conversation alone; quantum-safe in a few rounds"
      : ""),
    "which account you have: nobody logs in for rounds",
  ];
}

function open(facts: PrivacyFacts, chain: ChainView): string[] {
  return [
    ...chain.mixes.length === 1
      ? ["with whom you talk, from the server: it is the only mix"]
      : [],
    facts.onion
      ? "that somebody takes part, though not from where: you come through the onion network"
      : "that your address takes part, and when: the server sees it (--onion hides the address)",
    ...chain.mode === RunMode.CIRCUITS
      ? [
        "which messages of one run are of one client: in mode circuits each mix can tell",
      ]
      : [],
    "how many people take part: the fewer, the easier it is to guess",
  ];
}

function number(value: number): string {
  if (!Number.isFinite(value)) return "without bound";
  return value !== 0 && value < 0.001
    ? value.toExponential(1)
    : String(Math.round(value * 1_000) / 1_000);
}
