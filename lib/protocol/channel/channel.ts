import type { Bytes } from "../bytes/bytes.ts";
import { concat } from "../bytes/bytes.ts";
import type { ByteStream } from "./byte_stream.ts";
import { closedHere, tooEarly } from "./errors.ts";
import { RECORD_LIMIT, RECORD_LIMIT_MINIMUM } from "./record.ts";
import { RecordReceiver } from "./record_receiver.ts";
import { RecordSender } from "./record_sender.ts";
import type { TrafficKey } from "./traffic_key.ts";

/** The keys of both directions, and what binds other proofs to this very connection. */
export interface ChannelKeys {
  /** For what is sent. */
  readonly send: TrafficKey;
  /** For what comes in. */
  readonly receive: TrafficKey;
  /** The handshake hash, 32 bytes, the same on both sides. */
  readonly hash: Bytes;
}

/** Keys with a secret mixed in, made ahead so that the switch itself takes no time. */
export interface MixedKeys {
  /** For what is sent. */
  readonly send: TrafficKey;
  /** For what comes in. */
  readonly receive: TrafficKey;
}

/**
 * An authenticated, ordered, encrypted stream of bytes in both directions over any byte stream
 * (SPEC.md §4). Bytes sent in one call may arrive in several pieces and the other way round, as on
 * TCP. The end of the stream is authenticated, too: a connection that was cut is told from one that
 * was closed.
 */
export class Channel {
  /** The handshake hash (32 bytes): binds signatures to this connection. */
  readonly hash: Bytes;
  readonly #stream: ByteStream;
  readonly #sender: RecordSender;
  readonly #receiver: RecordReceiver;
  #send: TrafficKey;
  #receive: TrafficKey;
  #closed = false;

  /** `early` are bytes of records that were read together with the end of the handshake. */
  constructor(
    stream: ByteStream,
    keys: ChannelKeys,
    early: Bytes = new Uint8Array(0),
  ) {
    this.#stream = stream;
    this.#send = keys.send;
    this.#receive = keys.receive;
    this.hash = keys.hash;
    this.#sender = new RecordSender(stream, () => this.#send.take());
    this.#receiver = new RecordReceiver(
      stream,
      () => this.#receive.take(),
      early,
    );
  }

  /**
   * Queues bytes to be sent, in order. The promise resolves when there is room for more, which is
   * how a fast writer is held back; it rejects when the channel has failed.
   *
   * @throws {ChannelError}
   */
  send(bytes: Bytes): Promise<void> {
    return this.#sender.send(bytes);
  }

  /**
   * Sends a body that is sealed already, behind everything that was sent before: it travels as it
   * is, and only the length of its records is said. The other side must expect it (`receiveBody`)
   * and must check it, because anybody on the way can alter it (SPEC.md §4.7). Resolves when the
   * body is written, and may be changed.
   *
   * @param tail the end of the body, where that lies elsewhere in memory; the two together must fit
   * into one record if there is one.
   * @throws {ChannelError}
   */
  sendBody(bytes: Bytes, tail?: Bytes): Promise<void> {
    return this.#sender.sendBare(bytes, tail);
  }

  /**
   * As `sendBody`, for a body that is being sealed. What is sent behind it waits until it is.
   *
   * @param length of the body in bytes.
   */
  sendBodyLater(
    body: Promise<Bytes>,
    length: number,
    tail: Bytes,
  ): Promise<void> {
    return this.#sender.sendBareLater(body, length, tail);
  }

  /** Resolves when everything queued so far has been handed to the operating system. */
  flushed(): Promise<void> {
    return this.#sender.flushed();
  }

  /**
   * The next bytes, or `null` after the other side's CLOSE. One call at a time.
   *
   * @throws {ChannelError} if the connection was cut, a record was altered, or the peer broke a rule.
   */
  async receive(): Promise<Bytes | null> {
    try {
      return await this.#receiver.next();
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /**
   * A body of exactly `length` bytes, as the other side's `sendBody` was given; anybody on the way may
   * have altered it. One call at a time, and none of `receive` meanwhile.
   *
   * @param into where it goes, if a buffer of that length or more is at hand.
   * @throws {ChannelError} if the connection was cut, or anything else than this body comes.
   */
  async receiveBody(
    length: number,
    into: Bytes = new Uint8Array(length),
  ): Promise<Bytes> {
    try {
      const body = into.subarray(0, length);
      await this.#receiver.body(body);
      return body;
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /**
   * Bounds what is sealed and sent at a time: MAX-PACKET, in bytes.
   *
   * @throws {RangeError} outside 512..65,536.
   */
  limit(bytes: number): void {
    if (!(bytes >= RECORD_LIMIT_MINIMUM && bytes <= RECORD_LIMIT)) {
      throw new RangeError(`Cannot bound records: ${bytes} bytes`);
    }
    this.#sender.limit = bytes;
    this.#receiver.limit = bytes;
  }

  /**
   * Derives the keys that follow once both sides know `secret`. Nothing changes until `use`.
   *
   * The side that sends the last part of the secret calls `use` right behind that; the other side
   * when it has received it, and is the next to send (SPEC.md §4.3). No rekeying may fall between
   * `mix` and `use`, because the keys grow out of those of the moment; a login is over long before
   * the first 2^20 records.
   */
  async mix(secret: Bytes): Promise<MixedKeys> {
    const [send, receive] = await Promise.all([
      this.#send.mixed(secret),
      this.#receive.mixed(secret),
    ]);
    return { send, receive };
  }

  /**
   * Switches both directions; everything queued before is still sealed under the old keys.
   *
   * @throws {ChannelError} if the other side has sent more before it knew the new keys.
   */
  use(keys: MixedKeys): void {
    if (!this.#receiver.idle) throw tooEarly();
    this.#sender.sealQueued();
    this.#send = keys.send;
    this.#receive = keys.receive;
  }

  /** Sends what is queued, then CLOSE, then closes the stream. Calling it twice does no harm. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#sender.finish();
    } catch {
      // The other side is gone already; there is nobody to tell.
    }
    this.abort();
  }

  /** Drops the connection without a word; the other side sees that it was cut. */
  abort(): void {
    this.#closed = true;
    this.#sender.fail(closedHere("send"));
    this.#receiver.fail(closedHere("receive"));
    try {
      this.#stream.close();
    } catch {
      // Closed before.
    }
  }
}

/** The pieces of a channel that are still to be read, as one byte string; for tests and tools. */
export async function receiveAll(channel: Channel): Promise<Bytes> {
  const parts: Bytes[] = [];
  for (;;) {
    const part = await channel.receive();
    if (part === null) return concat(...parts);
    parts.push(part);
  }
}
