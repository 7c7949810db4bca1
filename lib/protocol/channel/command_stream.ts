import type { Bytes } from "../bytes/bytes.ts";
import { Decoder } from "../risp/decoder.ts";
import type { DecoderLimits } from "../risp/decoder.ts";
import type { Message } from "../risp/message.ts";
import { Vocabulary } from "../risp/vocabulary.ts";
import { writeAll } from "./byte_stream.ts";
import type { ByteStream } from "./byte_stream.ts";
import { ChannelError } from "./errors.ts";
import { GREETING } from "./greeting.ts";

/** What a connection may send in the clear, in bytes (DESIGN: 64 KiB before authentication). */
export const GREETING_BUDGET = 65_536;

const LIMITS: DecoderLimits = {
  messageBytes: 8_192,
  skippedBytes: GREETING_BUDGET,
};
const READ_BYTES = 2_048;
const VOCABULARY = new Vocabulary(GREETING);

/** Commands in the clear, before there is a channel. */
export class CommandStream {
  readonly #stream: ByteStream;
  readonly #decoder = new Decoder(VOCABULARY, LIMITS);
  #budget = GREETING_BUDGET;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /**
   * The next message, or `undefined` when the other side has ended.
   *
   * @throws {MalformedError} if a limit of the codec is passed.
   * @throws {ChannelError} if more comes in than a greeting may be long, or the connection breaks.
   */
  async next(): Promise<Message | undefined> {
    for (;;) {
      const message = this.#decoder.next();
      if (message !== undefined) return message;
      const buffer = new Uint8Array(READ_BYTES);
      const count = await unbroken(() => this.#stream.read(buffer));
      if (count === null) return undefined;
      this.#budget -= count;
      if (this.#budget < 0) {
        throw new ChannelError(
          "ERR_CHANNEL_VIOLATION",
          `Cannot take a greeting: more than ${GREETING_BUDGET} bytes`,
        );
      }
      this.#decoder.push(buffer.subarray(0, count));
    }
  }

  /** @throws {ChannelError} if the connection breaks. */
  send(commands: Bytes): Promise<void> {
    return unbroken(() => writeAll(this.#stream, commands));
  }

  /** Bytes that came behind the last message. */
  remainder(): Bytes {
    return this.#decoder.remainder();
  }
}

/** What the platform throws when a connection breaks becomes the error that a channel would give. */
async function unbroken<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new ChannelError(
      "ERR_CHANNEL_CUT",
      "Cannot greet: the connection is gone",
      { cause },
    );
  }
}
