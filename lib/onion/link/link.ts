import type { Bytes, Channel } from "../../protocol/mod.ts";
import {
  BODY_BYTES,
  CELL,
  decodeHeaders,
  DESTROY_REASONS,
  encodeHeaders,
  HEADERS_LIMIT,
  SMALL,
} from "../cell/cell.ts";
import type { CellHeader, CellSize, DestroyReason } from "../cell/cell.ts";
import { CellQueue } from "./cell_queue.ts";
import { discard } from "../cell/discard.ts";
import { noise } from "./noise_pool.ts";

/** Bytes that go into one batch of cells under one sealed record of headers. */
const BATCH_BYTES = 131_072;
/**
 * While a batch is being written another one is made ready only when it is worth its seal: so many bytes.
 */
const NEXT_BATCH_BYTES = 65_536;
const NOTHING: Bytes = new Uint8Array(0);

/** Takes the cells that come in. */
export interface CellSink {
  /**
   * A cell has come. `body` is good until this returns, or until what it returns resolves: then the next
   * cell is read.
   *
   * @throws {MalformedError} ends the link.
   */
  cell(header: CellHeader, body: Bytes): void | Promise<void>;
}

/**
 * A link between two nodes, or between a client and its guard: cells of many circuits over one channel
 * (SPEC.md §12.2). Only the headers are sealed by the channel; a body that somebody on the way has
 * altered fails at the hop whose layer it is.
 */
export class Link {
  readonly #channel: Channel;
  readonly #now: () => number;
  readonly #held: (bytes: number) => void;
  readonly #queue = new CellQueue();
  readonly #scratch = new Uint8Array(BODY_BYTES[1]);
  #scheduled = false;
  #batches = 0;
  #ended = false;
  #lastSent: number;
  /** Bytes of cells that have come in and gone out. */
  readonly traffic = { in: 0, out: 0 };

  /**
   * `now` is milliseconds of a steady clock; `held` is told how many bytes of cells wait more, or fewer.
   */
  constructor(
    channel: Channel,
    now: () => number,
    held: (bytes: number) => void = () => {},
  ) {
    this.#channel = channel;
    this.#now = now;
    this.#held = held;
    this.#lastSent = now();
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes of cells that wait to be sent. */
  get queued(): number {
    return this.#queue.bytes;
  }

  /** When a cell was last sent, by the clock. */
  get lastSent(): number {
    return this.#lastSent;
  }

  /** As `CellQueue.oldest`. */
  oldest(): { readonly circuit: number; readonly since: number } | undefined {
    return this.#queue.oldest();
  }

  /** Bytes that wait to be sent for a circuit. */
  queuedOf(circuit: number): number {
    return this.#queue.bytesOf(circuit);
  }

  /**
   * Queues a cell; `body` is filled up with noise to its size, and taken over: its memory is given back
   * once it is written. It is dropped if the link has ended.
   */
  send(circuit: number, command: number, size: CellSize, body: Bytes): void {
    this.#push({ circuit, command, size, detail: 0 }, body, body.length);
  }

  /**
   * The same with a body that is being sealed and will be `length` bytes long: its header can be sealed
   * at the same time.
   */
  sendLater(
    circuit: number,
    command: number,
    size: CellSize,
    body: Promise<Bytes>,
    length: number,
  ): void {
    this.#push({ circuit, command, size, detail: 0 }, body, length);
  }

  /** Queues a DESTROY, and forgets what else waits for the circuit. */
  destroy(circuit: number, reason: DestroyReason): void {
    this.drop(circuit);
    const detail = DESTROY_REASONS.indexOf(reason);
    const command = CELL.DESTROY;
    this.#push({ circuit, command, size: SMALL, detail }, NOTHING, 0);
  }

  /** Queues a PADDING cell, which means nothing. */
  pad(): void {
    this.send(0, CELL.PADDING, SMALL, NOTHING);
  }

  /** Forgets what waits for a circuit. */
  drop(circuit: number): void {
    this.#held(-this.#queue.drop(circuit));
  }

  /**
   * Hands out what comes in until the other side closes.
   *
   * @param took told before the cells of every batch how many bytes they are, and can make them wait.
   * @throws {ChannelError | MalformedError} if the link breaks, or the other side breaks a rule.
   */
  async receive(
    sink: CellSink,
    took?: (bytes: number) => Promise<void>,
  ): Promise<void> {
    try {
      for (;;) {
        const sealed = await this.#channel.receive();
        if (sealed === null) return;
        const headers = decodeHeaders(sealed);
        let bytes = 0;
        for (const { size } of headers) bytes += BODY_BYTES[size];
        this.traffic.in += bytes;
        await took?.(bytes);
        for (const header of headers) {
          const length = BODY_BYTES[header.size];
          const body = await this.#channel.receiveBody(length, this.#scratch);
          if (header.command === CELL.PADDING) continue;
          const handled = sink.cell(header, body);
          if (handled !== undefined) await handled;
        }
      }
    } finally {
      this.abort();
    }
  }

  /** Sends what is queued, then closes. */
  async close(): Promise<void> {
    while (!this.#queue.isEmpty && !this.#ended) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.#ended = true;
    await this.#channel.close();
  }

  /** Drops the link. */
  abort(): void {
    this.#ended = true;
    this.#held(-this.#queue.clear());
    this.#channel.abort();
  }

  #push(
    header: CellHeader,
    body: Bytes | Promise<Bytes>,
    length: number,
  ): void {
    if (this.#ended) return;
    const tail = noise(BODY_BYTES[header.size] - length);
    this.#queue.push({ header, body, length, tail }, this.#now());
    this.#held(BODY_BYTES[header.size]);
    if (this.#scheduled) return;
    this.#scheduled = true;
    // What comes in the same turn leaves in the same batch.
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#mayStart()) {
      this.#batches++;
      this.#lastSent = this.#now();
      this.#sendBatch().then(() => {
        this.#batches--;
        this.#pump();
      }, () => this.abort());
    }
  }

  #mayStart(): boolean {
    if (this.#queue.isEmpty || this.#ended) return false;
    if (this.#batches === 0) return true;
    return this.#batches === 1 && this.#queue.bytes >= NEXT_BATCH_BYTES;
  }

  #sendBatch(): Promise<void> {
    const cells = this.#queue.take(HEADERS_LIMIT, BATCH_BYTES);
    const headers = encodeHeaders(cells.map(({ header }) => header));
    let written = this.#channel.send(headers);
    let bytes = 0;
    for (const { header, body, length, tail } of cells) {
      written.catch(() => {/* the last one fails in the same way */});
      bytes += BODY_BYTES[header.size];
      written = body instanceof Promise
        ? this.#channel.sendBodyLater(body, length, tail)
        : length === 0
        ? this.#channel.sendBody(tail)
        : this.#channel.sendBody(body, tail);
    }
    this.traffic.out += bytes;
    this.#held(-bytes);
    return written.then(() => {
      for (const { body, length } of cells) {
        if (body instanceof Promise) body.then(discard, () => {});
        else if (length > 0) discard(body);
      }
    });
  }
}
