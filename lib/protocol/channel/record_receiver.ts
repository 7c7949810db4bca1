import type { Bytes } from "../bytes/bytes.ts";
import { open } from "../crypto/aead.ts";
import { AEAD_TAG_BYTES } from "../crypto/aead.ts";
import type { ByteStream } from "./byte_stream.ts";
import { ChannelError } from "./errors.ts";
import { FrameBuffer, RECORD_LIMIT } from "./record.ts";
import type { Frame } from "./record.ts";
import type { RecordKey } from "./traffic_key.ts";

/** Records being opened at once. */
const OPENS_IN_FLIGHT = 16;

/** A record that was taken in. */
interface Arriving {
  readonly bare: boolean;
  /** Its plaintext, or its bare body. */
  readonly content: Promise<Bytes>;
}

/**
 * The receiving half of a channel. Records that have arrived are opened many at a time and handed
 * out in order. Nothing is read while the caller takes nothing, so a peer cannot fill the memory.
 */
export class RecordReceiver {
  limit = RECORD_LIMIT;
  readonly #stream: ByteStream;
  readonly #take: () => RecordKey;
  readonly #frames: FrameBuffer;
  #opening: Arriving[] = [];
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
    const plaintext = await this.#shift(false);
    if (plaintext.length > 0) return plaintext;
    this.#ended = true;
    return null;
  }

  /** The body of the next record, which must be a bare one. */
  nextBare(): Promise<Bytes> {
    return this.#shift(true);
  }

  async #shift(bare: boolean): Promise<Bytes> {
    this.#fill();
    while (this.#opening.length === 0) {
      if (this.#error !== undefined) throw this.#error;
      await this.#reading;
    }
    const first = this.#opening[0]!;
    if (first.bare !== bare) {
      throw new ChannelError(
        "ERR_CHANNEL_VIOLATION",
        bare
          ? "Cannot take a body: a sealed record came instead"
          : "Cannot take a record: it is bare, and no body was announced",
      );
    }
    const content = await first.content;
    this.#opening.shift();
    return content;
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
          this.#reading ??= this.#read();
          return;
        }
        const content = frame.bare ? this.#keep(frame) : this.#openFrame(frame);
        // The failure is thrown when its turn comes; until then it must not count as unhandled.
        content.catch(() => {});
        this.#opening.push({ bare: frame.bare, content });
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

  /** The view is good until the next read. */
  #keep({ body }: Frame): Promise<Bytes> {
    return body.length > this.limit
      ? Promise.reject(tooLong(body))
      : Promise.resolve(body.slice());
  }

  async #openFrame({ header, body }: Frame): Promise<Bytes> {
    if (body.length > this.limit + AEAD_TAG_BYTES) throw tooLong(body);
    const { key, nonce } = this.#take();
    try {
      // The views are good until the next read; WebCrypto copies its input when it is called.
      return key instanceof CryptoKey
        ? await open(key, nonce, body, header)
        : await openLater(key, nonce, body.slice(), header.slice());
    } catch (cause) {
      throw new ChannelError(
        "ERR_CHANNEL_FORGED",
        "Cannot open a record: it was altered, or the two sides hold different keys",
        { cause },
      );
    }
  }
}

function tooLong({ length }: Bytes): ChannelError {
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
