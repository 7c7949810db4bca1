import type { ChainView, LineEvent } from "../../../lib/mix/mod.ts";
import type { OwnText, Peer } from "./peer.ts";
import { meterText } from "./privacy_text.ts";
import type { PrivateOutput } from "./private_output.ts";
import { textLine } from "./text_line.ts";

/** What a prompt tells. */
export interface Standing {
  /** Whether the server has taken this client in, and whether it ever has. */
  readonly connection: "never" | "lost" | "joined";
  /** Whether it is known when the next round is. */
  readonly hasRound: boolean;
}

/** What is shown of a private chat. */
export class ChatView {
  readonly #out: PrivateOutput;

  constructor(out: PrivateOutput) {
    this.#out = out;
  }

  /** Somebody else's text. */
  text({ name }: Peer, event: LineEvent & { readonly kind: "text" }): void {
    const shown = { from: name, text: event.text, at: event.sentAt };
    this.#out.print(textLine(shown, this.#out.colours));
  }

  /** One's own text, where it stands if it does already. */
  own(own: OwnText): void {
    const { text, at, state, round } = own;
    const shown = { from: undefined, text, at, state, round };
    const line = textLine(shown, this.#out.colours);
    if (own.line === undefined) own.line = this.#out.print(line);
    else this.#out.change(own.line, line);
  }

  /** What the rounds with somebody have cost. */
  meter(peer: Peer, chain: ChainView | undefined): void {
    const { name, address, budget: { rounds } } = peer;
    const loss = peer.budget.spent();
    this.#out.event({
      event: "privacy",
      with: address,
      rounds,
      // JSON knows no infinity.
      epsilon: Number.isFinite(loss.epsilon) ? loss.epsilon : null,
      delta: loss.delta,
    });
    this.#out.note(meterText({ name, rounds, loss, chain }));
  }

  /** The prompt. */
  prompt(peer: Peer | undefined, { connection, hasRound }: Standing): void {
    const standing = connection === "never"
      ? "connecting"
      : connection === "lost"
      ? "offline"
      : !hasRound
      ? "waiting for a round"
      : peer?.standing ?? "waiting for calls";
    this.#out.prompt(
      peer === undefined ? `(${standing})> ` : `${peer.name} (${standing})> `,
    );
  }
}
