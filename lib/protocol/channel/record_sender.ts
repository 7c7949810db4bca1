import type { Bytes } from "../bytes/bytes.ts";
import { u32 } from "../bytes/bytes.ts";
import { AEAD_TAG_BYTES, seal } from "../crypto/aead.ts";
import { writeAll } from "./byte_stream.ts";
import type { ByteStream } from "./byte_stream.ts";
import { ChannelError, closedHere } from "./errors.ts";
import { BARE, RECORD_HEADER_BYTES, RECORD_LIMIT } from "./record.ts";
import type { RecordKey } from "./traffic_key.ts";

/** Seals under way at once: enough to keep every core busy (a seal is a thread-pool call). */
const SEALS_IN_FLIGHT = 16;
/** Bytes queued beyond which `send` makes its caller wait. */
const HIGH_WATER = 8 * RECORD_LIMIT;
/** Bytes of records that are ready beyond which no more are put into one write. */
const WRITE_BYTES = 3 * RECORD_LIMIT;

const NOTHING = new Uint8Array(0);
/** A record without plaintext. */
const CLOSE = NOTHING;

/** A record on its way out. */
interface Outgoing {
  readonly header: Bytes;
  /** The sealed part, once it is ready. */
  body: Bytes | undefined;
  /** More of the body, which lies elsewhere. */
  readonly tail?: Bytes;
  /** Resolves when it is. */
  readonly ready: Promise<void>;
  /** How much of it is bare: the rest was counted before it was sealed. */
  readonly bare: number;
}

const READY = Promise.resolve();

/**
 * The sending half of a channel. Queued bytes are cut into records, sealed many at a time, and
 * written in order. While a seal is under way, small sends gather and leave as one record; records
 * that are ready at the same time leave in one write.
 */
export class RecordSender {
  limit = RECORD_LIMIT;
  readonly #stream: ByteStream;
  readonly #take: () => RecordKey;
  #queue: Bytes[] = [];
  #queued = 0;
  /** Bytes of bare records that were ever queued, and written. */
  #bareQueued = 0;
  #bareWritten = 0;
  #sealed: Outgoing[] = [];
  #writing = false;
  #error: Error | undefined;
  #closing = false;
  #waiting: {
    resolve: () => void;
    reject: (error: Error) => void;
    isDue: () => boolean;
  }[] = [];

  constructor(stream: ByteStream, take: () => RecordKey) {
    this.#stream = stream;
    this.#take = take;
  }

  send(bytes: Bytes): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    // The other side reads nothing behind CLOSE; taking more would be a lie.
    if (this.#closing) return Promise.reject(closedHere("send"));
    if (bytes.length > 0) {
      this.#queue.push(bytes);
      this.#queued += bytes.length;
      this.#pump();
    }
    return this.#drained(HIGH_WATER);
  }

  /**
   * Sends bytes as they are, in records behind everything that was sent before; resolves when they are
   * written and may be changed. A `tail` ends the last record.
   */
  sendBare(bytes: Bytes, tail: Bytes = NOTHING): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#closing) return Promise.reject(closedHere("send"));
    this.sealQueued();
    for (let at = 0; at < bytes.length; at += this.limit) {
      const body = bytes.subarray(at, at + this.limit);
      const isLast = at + this.limit >= bytes.length;
      this.#pushBare(body, isLast ? tail : NOTHING);
    }
    if (!this.#writing && this.#sealed.length > 0) this.#write();
    const end = this.#bareQueued;
    return this.#until(() => this.#bareWritten >= end);
  }

  /**
   * The same for a body that is being sealed: its place behind what was sent before is taken now. It and
   * its tail must fit into one record.
   *
   * @param length of the body.
   */
  sendBareLater(
    body: Promise<Bytes>,
    length: number,
    tail: Bytes,
  ): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#closing) return Promise.reject(closedHere("send"));
    this.sealQueued();
    const bare = length + tail.length;
    this.#bareQueued += bare;
    const record: Outgoing = {
      header: u32((BARE | bare) >>> 0),
      body: undefined,
      tail,
      ready: body.then((bytes) => void (record.body = bytes)),
      bare,
    };
    record.ready.catch(() => {/* #write fails by it */});
    this.#sealed.push(record);
    if (!this.#writing) this.#write();
    const end = this.#bareQueued;
    return this.#until(() => this.#bareWritten >= end);
  }

  #pushBare(body: Bytes, tail: Bytes): void {
    const bare = body.length + tail.length;
    this.#bareQueued += bare;
    const header = u32((BARE | bare) >>> 0);
    this.#sealed.push({ header, body, tail, ready: READY, bare });
  }

  flushed(): Promise<void> {
    return this.#drained(0);
  }

  /** Sends what is queued and then CLOSE: a record without plaintext. */
  async finish(): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    this.#closing = true;
    this.sealQueued();
    this.#seal(CLOSE);
    await this.flushed();
  }

  /** Seals everything queued at once, under the key as it stands now. */
  sealQueued(): void {
    while (this.#queued > 0) this.#seal(this.#cut());
  }

  fail(error: Error): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#queue = [];
    this.#queued = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #pump(): void {
    while (
      this.#queued > 0 && this.#sealed.length < SEALS_IN_FLIGHT &&
      (this.#sealed.length === 0 || this.#queued >= this.limit)
    ) this.#seal(this.#cut());
  }

  /** Takes up to a record's worth of bytes from the queue. */
  #cut(): Bytes {
    const first = this.#queue[0]!;
    if (first.length >= this.limit || this.#queue.length === 1) {
      const piece = first.subarray(0, this.limit);
      if (piece.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(piece.length);
      this.#queued -= piece.length;
      return piece;
    }
    const piece = new Uint8Array(Math.min(this.#queued, this.limit));
    let at = 0;
    let used = 0;
    while (at < piece.length) {
      const next = this.#queue[used]!;
      const part = next.subarray(0, piece.length - at);
      piece.set(part, at);
      at += part.length;
      if (part.length === next.length) used++;
      else this.#queue[used] = next.subarray(part.length);
    }
    this.#queue.splice(0, used);
    this.#queued -= piece.length;
    return piece;
  }

  /** The sequence number is taken and the seal issued in one synchronous step. */
  #seal(plaintext: Bytes): void {
    const header = u32(plaintext.length + AEAD_TAG_BYTES);
    const { key, nonce } = this.#take();
    const sealed = key instanceof CryptoKey
      ? seal(key, nonce, plaintext, header)
      : key.then((ready) => seal(ready, nonce, plaintext, header));
    const record: Outgoing = {
      header,
      body: undefined,
      ready: sealed.then((body) => void (record.body = body)),
      bare: 0,
    };
    this.#sealed.push(record);
    if (!this.#writing) this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    // Kept from write to write, because new memory costs as much as half a seal; given up when
    // nothing is left to send, so that an idle connection has none.
    let buffer: Bytes = new Uint8Array(0);
    try {
      while (this.#sealed.length > 0 && this.#error === undefined) {
        await this.#sealed[0]!.ready;
        const records = this.#takeReady();
        this.#pump();
        const length = lengthOf(records);
        if (length > buffer.length) buffer = new Uint8Array(length);
        await writeAll(this.#stream, join(records, buffer));
        for (const { bare } of records) this.#bareWritten += bare;
        this.#release();
      }
    } catch (cause) {
      this.fail(
        new ChannelError(
          "ERR_CHANNEL_CUT",
          "Cannot send: the connection is gone",
          { cause },
        ),
      );
    } finally {
      this.#writing = false;
      this.#release();
    }
  }

  /** The records at the front that are ready, up to what one write may carry. */
  #takeReady(): Outgoing[] {
    let count = 0;
    for (let bytes = 0; bytes <= WRITE_BYTES; count++) {
      const body = this.#sealed[count]?.body;
      if (body === undefined) break;
      bytes += body.length;
    }
    return this.#sealed.splice(0, count);
  }

  /** Everything accepted and not yet written, roughly, in bytes. */
  get #pending(): number {
    const unwritten = this.#sealed.length + (this.#writing ? 1 : 0);
    return this.#queued + (unwritten > 0 ? 1 : 0);
  }

  #drained(below: number): Promise<void> {
    return this.#until(() => this.#pending <= below);
  }

  #until(isDue: () => boolean): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (isDue()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject, isDue });
    });
  }

  #release(): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(({ resolve, isDue }) => {
      if (!isDue()) return true;
      resolve();
      return false;
    });
  }
}

function lengthOf(records: readonly Outgoing[]): number {
  let length = 0;
  for (const { body, tail = NOTHING } of records) {
    length += RECORD_HEADER_BYTES + body!.length + tail.length;
  }
  return length;
}

/** The records behind each other, at the front of `buffer`. */
function join(records: readonly Outgoing[], buffer: Bytes): Bytes {
  let at = 0;
  for (const { header, body, tail = NOTHING } of records) {
    for (const part of [header, body!, tail]) {
      buffer.set(part, at);
      at += part.length;
    }
  }
  return buffer.subarray(0, at);
}
