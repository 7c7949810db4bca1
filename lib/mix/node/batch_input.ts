import type { Bytes, CommandChannel, Message } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { TOTAL_LENGTH } from "../commands.ts";
import { partIn } from "./mix_wire.ts";

/** A batch that comes in parts. Memory is taken once its length is known to be one that can be. */
export class BatchInput {
  readonly #bytes: Bytes;
  #filled = 0;

  /** @param total length of the batch in bytes. */
  constructor(total: number) {
    this.#bytes = new Uint8Array(total);
  }

  /**
   * Reads the body behind a message that announces a part; the whole batch, if that was the last one.
   *
   * @throws {MalformedError} if it does not fit to the parts before.
   * @throws {ChannelError} if the connection fails.
   */
  async take(
    link: CommandChannel,
    message: Message,
  ): Promise<Bytes | undefined> {
    const length = partIn(message);
    const { length: total } = this.#bytes;
    const fits = message.need(TOTAL_LENGTH) === total &&
      length <= total - this.#filled && (length > 0 || total === 0);
    if (!fits) {
      throw new MalformedError(
        `Cannot take ${message.verb.name}: it does not fit to what came before`,
      );
    }
    if (length > 0) {
      await link.body(length, this.#bytes.subarray(this.#filled));
    }
    this.#filled += length;
    return this.#filled === total ? this.#bytes : undefined;
  }

  /** Forgets what has come. */
  erase(): void {
    this.#bytes.fill(0);
  }
}

/** Reads a body that nobody waits for. */
export async function skipPart(
  link: CommandChannel,
  message: Message,
): Promise<void> {
  const length = partIn(message);
  if (length > 0) await link.body(length);
}
