import { ACCOUNT } from "../../../lib/account/mod.ts";
import {
  ChannelError,
  Decoder,
  Vocabulary,
} from "../../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../../lib/protocol/mod.ts";
import { ROUNDS } from "../../../lib/mix/commands.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, ROUNDS);
const LIMITS = { messageBytes: 2 ** 21, skippedBytes: 2 ** 20 };

/** A connection without a handshake: what one side sends, the other side reads. */
export class FakeLink {
  budget = 65_536;
  /** Whether the other side takes what is sent to it. */
  reads = true;
  /** What the service has said. */
  readonly heard: Message[] = [];
  /** Called for everything that the service says. */
  onMessage: (message: Message) => void = () => {};
  /** How the connection ended, once it has. */
  ended: "closed" | "aborted" | "left" | undefined;
  readonly #heardDecoder = new Decoder(VOCABULARY, LIMITS);
  readonly #said = new Decoder(VOCABULARY, LIMITS);
  #wake: () => void = () => {};
  #flushing: (() => void)[] = [];

  /** The client says something. */
  say(commands: Bytes): void {
    this.#said.push(commands);
    this.#wake();
  }

  /** The client goes on reading. */
  readAgain(): void {
    this.reads = true;
    this.#flush();
  }

  /** The client vanishes. */
  leave(): void {
    this.ended ??= "left";
    this.#wake();
    this.#flush();
  }

  async next(): Promise<Message | null> {
    for (;;) {
      if (this.ended === "aborted" || this.ended === "left") throw cut();
      const message = this.#said.next();
      if (message !== undefined) return message;
      if (this.ended !== undefined) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  async send(commands: Bytes): Promise<void> {
    if (this.ended !== undefined) throw cut();
    this.#heardDecoder.push(commands);
    for (;;) {
      const message = this.#heardDecoder.next();
      if (message === undefined) break;
      this.heard.push(message);
      this.onMessage(message);
    }
    await Promise.resolve();
  }

  async flushed(): Promise<void> {
    while (!this.reads && this.ended === undefined) {
      await new Promise<void>((resolve) => this.#flushing.push(resolve));
    }
    if (this.ended !== undefined) throw cut();
  }

  async close(): Promise<void> {
    try {
      await this.flushed();
    } catch {
      // As a channel does.
    }
    this.#end("closed");
  }

  abort(): void {
    this.#end("aborted");
  }

  #flush(): void {
    for (const each of this.#flushing.splice(0)) each();
  }

  #end(how: "closed" | "aborted"): void {
    this.ended ??= how;
    this.#wake();
    this.#flush();
  }
}

function cut(): ChannelError {
  return new ChannelError("ERR_CHANNEL_CUT", "Cannot go on: it is cut");
}
