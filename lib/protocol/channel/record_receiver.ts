import type { Bytes } from "../bytes/bytes.ts";
import { open } from "../crypto/aead.ts";
import { AEAD_TAG_BYTES } from "../crypto/aead.ts";
import type { ByteStream } from "./byte_stream.ts";
import { ChannelError, strayBody } from "./errors.ts";
import { FrameBuffer, RECORD_LIMIT } from "./record.ts";
import type { Frame } from "./record.ts";
import type { RecordKey } from "./traffic_key.ts";

/** Records being opened at once. */
const OPENS_IN_FLIGHT = 16;

/**
 * The receiving half of a channel. Records that have arrived are opened many at a time and handed
 * out in order. Nothing is read while the caller takes nothing, so a peer cannot fill the memory; and
 * nothing behind a bare record before somebody takes that, into memory of their own.
 */
export class RecordReceiver {
  limit = RECORD_LIMIT;
  readonly #stream: ByteStream;
  readonly #take: () => RecordKey;
  readonly #frames: FrameBuffer;
  #opening: Promise<Bytes>[] = [];
  #reading: Promise<void> | undefined;
  #error: Error | undefined;
  #ended = false;

  constructor(stream: ByteStream, take: () => RecordKey, early: Bytes) {
    this.#stream = stream;
    this.#take = take;
    this.#frames = new FrameBuffer(early);
  }

  /** The plaintext of the next record that has one, or `null` after CLOSE. */
  async next(): Promise<Bytes | null> {
    if (this.#ended) return null;
    this.#fill();
    while (this.#opening.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#frames.bare) throw unannounced();
      await this.#reading;
    }
    const plaintext = await this.#opening[0]!;
    this.#opening.shift();
    if (plaintext.length > 0) return plaintext;
    this.#ended = true;
    return null;
  }

  /** Fills `body` from bare records that end where it ends. */
  async body(body: Bytes): Promise<void> {
    for (let at = 0; at < body.length;) {
      this.#fill();
      if (this.#opening.length > 0) throw strayBody();
      if (this.#frames.bare) at += await this.#bareRecord(body.subarray(at));
      else {
        if (this.#error !== undefined) throw this.#error;
        await this.#reading;
      }
    }
    this.#fill();
  }

  async #bareRecord(target: Bytes): Promise<number> {
    const length = this.#frames.bareLength;
    if (length > this.limit) throw tooLong(length);
    if (length > target.length) throw strayBody();
    for (let at = 0;;) {
      at += this.#frames.take(target.subarray(at, length));
      if (at === length) return length;
      await (this.#reading ??= this.#read());
      if (this.#error !== undefined) throw this.#error;
    }
  }

  /** Ends the receiving, once what is open already has been given out. The first error stays. */
  fail(error: Error): void {
    this.#error ??= error;
  }

  /** Whether nothing has arrived that was not handed out. */
  get idle(): boolean {
    return this.#opening.length === 0 && !this.#frames.pending;
  }

  /** Opens what has arrived, and reads on meanwhile, until enough is under way. */
  #fill(): void {
    try {
      while (this.#opening.length < OPENS_IN_FLIGHT) {
        const frame = this.#frames.next();
        if (frame === undefined) {
          if (!this.#frames.bare) this.#reading ??= this.#read();
          return;
        }
        const opened = this.#openFrame(frame);
        // The failure is thrown when its turn comes; until then it must not count as unhandled.
        opened.catch(() => {});
        this.#opening.push(opened);
      }
    } catch (error) {
      this.fail(error as ChannelError);
    }
  }

  async #read(): Promise<void> {
    if (this.#error !== undefined) return;
    try {
      const count = await this.#stream.read(this.#frames.space());
      if (count === null) {
        throw new ChannelError(
          "ERR_CHANNEL_CUT",
          "Cannot receive: the connection ended without CLOSE",
        );
      }
      this.#frames.filled(count);
    } catch (cause) {
      this.fail(
        cause instanceof ChannelError ? cause : new ChannelError(
          "ERR_CHANNEL_CUT",
          "Cannot receive: the connection is gone",
          { cause },
        ),
      );
    }
    this.#reading = undefined;
    if (this.#error === undefined) this.#fill();
  }

  async #openFrame({ header, sealed }: Frame): Promise<Bytes> {
    if (sealed.length > this.limit + AEAD_TAG_BYTES) {
      throw tooLong(sealed.length);
    }
    const { key, nonce } = this.#take();
    try {
      // The views are good until the next read; WebCrypto copies its input when it is called.
      return key instanceof CryptoKey
        ? await open(key, nonce, sealed, header)
        : await openLater(key, nonce, sealed.slice(), header.slice());
    } catch (cause) {
      throw new ChannelError(
        "ERR_CHANNEL_FORGED",
        "Cannot open a record: it was altered, or the two sides hold different keys",
        { cause },
      );
    }
  }
}

function unannounced(): ChannelError {
  return new ChannelError(
    "ERR_CHANNEL_VIOLATION",
    "Cannot take a record: it is bare, and no body was announced",
  );
}

function tooLong(length: number): ChannelError {
  return new ChannelError(
    "ERR_CHANNEL_VIOLATION",
    `Cannot take a record: ${length} bytes, above MAX-PACKET`,
  );
}

async function openLater(
  key: Promise<CryptoKey>,
  nonce: Bytes,
  sealed: Bytes,
  header: Bytes,
): Promise<Bytes> {
  return await open(await key, nonce, sealed, header);
}
