import type { Bytes } from "../bytes/bytes.ts";
import { Decoder } from "../risp/decoder.ts";
import type { DecoderLimits } from "../risp/decoder.ts";
import type { Message } from "../risp/message.ts";
import type { Vocabulary } from "../risp/vocabulary.ts";
import type { Channel, MixedKeys } from "./channel.ts";
import { ChannelError, strayBody, tooEarly } from "./errors.ts";

/**
 * Messages that are handed out before everything else has a turn. A megabyte can hold half a million
 * of them, and whoever takes them one after the other would leave nobody else any time.
 */
const MESSAGES_IN_A_ROW = 256;

/** Commands over a channel: what every service speaks once the handshake is done. */
export class CommandChannel {
  readonly #channel: Channel;
  readonly #decoder: Decoder;
  #budget = Infinity;
  #proving = false;
  #inARow = 0;

  /** `limits` bound what the other side may send. */
  constructor(channel: Channel, vocabulary: Vocabulary, limits: DecoderLimits) {
    this.#channel = channel;
    this.#decoder = new Decoder(vocabulary, limits);
  }

  /** The handshake hash, 32 bytes. */
  get hash(): Bytes {
    return this.#channel.hash;
  }

  /** Bounds how many more bytes may come in; `Infinity` lifts the bound. */
  set budget(bytes: number) {
    this.#budget = bytes;
  }

  /**
   * The next message, or `null` after the other side's CLOSE. One call at a time.
   *
   * @throws {ChannelError} if the channel fails or the budget is used up.
   * @throws {MalformedError} if a limit of the codec is passed.
   */
  async next(): Promise<Message | null> {
    for (;;) {
      const message = this.#decoder.next();
      if (message !== undefined) {
        if (++this.#inARow === MESSAGES_IN_A_ROW) await this.#giveWay();
        return message;
      }
      const piece = await this.#channel.receive();
      if (piece === null) return null;
      if (this.#proving) this.#budget = Infinity;
      this.#proving = false;
      this.#spend(piece.length);
      this.#decoder.push(piece);
    }
  }

  /** As `Channel.send`. */
  send(commands: Bytes): Promise<void> {
    return this.#channel.send(commands);
  }

  /** Sends commands, then as `Channel.sendBody`: the last of the commands says how long the body is. */
  sendWithBody(commands: Bytes, body: Bytes): Promise<void> {
    this.#channel.send(commands).catch(
      () => {/* the next line fails in the same way */},
    );
    return this.#channel.sendBody(body);
  }

  /**
   * The body that the last message has announced, of exactly `length` bytes, unchecked.
   *
   * @param into as for `Channel.receiveBody`.
   * @throws {ChannelError} as `next`; if anything came between the message and the body.
   */
  async body(length: number, into?: Bytes): Promise<Bytes> {
    if (!this.#decoder.complete) throw strayBody();
    this.#spend(length);
    return await this.#channel.receiveBody(length, into);
  }

  /** As `Channel.flushed`. */
  flushed(): Promise<void> {
    return this.#channel.flushed();
  }

  /** As `Channel.limit`. */
  limit(bytes: number): void {
    this.#channel.limit(bytes);
  }

  /** As `Channel.mix`. */
  mix(secret: Bytes): Promise<MixedKeys> {
    return this.#channel.mix(secret);
  }

  /**
   * As `Channel.use`. The first piece that opens under the new keys proves that the other side holds
   * them, and lifts the budget.
   */
  use(keys: MixedKeys): void {
    if (!this.#decoder.complete) throw tooEarly();
    this.#channel.use(keys);
    this.#proving = true;
  }

  /** As `Channel.close`. */
  close(): Promise<void> {
    return this.#channel.close();
  }

  /** As `Channel.abort`. */
  abort(): void {
    this.#channel.abort();
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget >= 0) return;
    throw new ChannelError(
      "ERR_CHANNEL_VIOLATION",
      "Cannot take more: too many bytes before authentication",
    );
  }

  async #giveWay(): Promise<void> {
    this.#inARow = 0;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
