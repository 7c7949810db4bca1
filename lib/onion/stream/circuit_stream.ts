import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { LARGE, SMALL, UNITS } from "../cell/cell.ts";
import type { CellSize } from "../cell/cell.ts";
import { blankLayer, capacity, MESSAGE_HEADER_BYTES } from "../cell/message.ts";
import type { OnionStream } from "./opener.ts";
import { discard } from "../cell/discard.ts";
import { StreamError } from "./stream_error.ts";
import type { EndReason } from "./stream_error.ts";
import {
  ReceiveWindow,
  SendWindow,
  STREAM_INCREMENT,
  STREAM_WINDOW,
} from "./window.ts";

/** Little data goes into so many small cells rather than into a large one. */
const SMALL_CELLS = 10;

/** What a stream needs of the circuit that it is on. */
export interface StreamCarrier {
  /** Position of the hop at the other end: layers are as long as that allows. */
  readonly position: number;
  /** Sends a layer that holds `length` bytes of DATA, when the circuit has room for it. */
  sendData(
    stream: number,
    layer: Bytes,
    length: number,
    size: CellSize,
  ): Promise<void> | undefined;
  /** Says that a SENDME's worth of data was taken from the stream. */
  sendSendme(stream: number): void;
  /** Says that nothing more comes, or that the stream is broken. */
  sendEnd(stream: number, reason: EndReason): void;
  /** Cells of so many units were taken from, or lost with, the stream. */
  consumed(units: number): void;
  /** It broke: what waits to be sent on it waits in vain. */
  broke(stream: number, error: StreamError): void;
  /** Both directions have ended. */
  finished(stream: number): void;
}

/** Data that has come and was not read. */
interface Chunk {
  data: Bytes;
  /** Units of flow control that go back when it was read. */
  readonly units: number;
  /** When it came. */
  readonly since: number;
}

/** One end of a stream on a circuit: the client's, or the exit's. */
export class CircuitStream implements OnionStream {
  /** 1 to 65,535, chosen by the client. */
  readonly id: number;
  readonly #carrier: StreamCarrier;
  readonly #sending = new SendWindow(STREAM_WINDOW);
  readonly #receiving = new ReceiveWindow(STREAM_WINDOW, STREAM_INCREMENT);
  readonly #chunks: Chunk[] = [];
  #inEnded = false;
  /** Whether no more may be written, and whether the other end was told. */
  #outClosed = false;
  #outEnded = false;
  /** Writes under way. */
  #writes = 0;
  #failure: StreamError | undefined;
  #wake: (() => void) | undefined;
  /** Whether the last read that was passed on was long: then the next is read straight into a cell. */
  #busy = false;

  constructor(id: number, carrier: StreamCarrier) {
    this.id = id;
    this.#carrier = carrier;
  }

  /** Why it broke, if it did. */
  get failure(): StreamError | undefined {
    return this.#failure;
  }

  /** When the first of what was not read has come. */
  get waitingSince(): number | undefined {
    return this.#failure === undefined ? this.#chunks[0]?.since : undefined;
  }

  /** Bytes that have come and were not read. */
  get buffered(): number {
    let bytes = 0;
    for (const { data } of this.#chunks) bytes += data.length;
    return bytes;
  }

  /** @throws {StreamError} if the stream broke; what had come before is read first. */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (!await this.#arrived()) return null;
    let at = 0;
    let units = 0;
    while (at < buffer.length && this.#chunks.length > 0) {
      const chunk = this.#chunks[0]!;
      const part = chunk.data.subarray(0, buffer.length - at);
      buffer.set(part, at);
      at += part.length;
      if (part.length === chunk.data.length) {
        this.#chunks.shift();
        discard(chunk.data);
        units += chunk.units;
      } else chunk.data = chunk.data.subarray(part.length);
    }
    this.#giveBack(units);
    return at;
  }

  /** What came in one cell, without a copy, or `null` at the end. @throws {StreamError} as `read`. */
  async next(): Promise<Bytes | null> {
    if (!await this.#arrived()) return null;
    const { data, units } = this.#chunks.shift()!;
    this.#giveBack(units);
    return data;
  }

  /** Takes all of `bytes`, as fast as the other end makes room. @throws {StreamError} */
  async write(bytes: Uint8Array): Promise<number> {
    await this.#writing(async () => {
      const { position } = this.#carrier;
      const few = SMALL_CELLS * capacity(SMALL, position);
      for (let at = 0; at < bytes.length;) {
        const left = bytes.length - at;
        const size = left <= few ? SMALL : LARGE;
        const length = Math.min(left, capacity(size, position));
        const layer = blankLayer(size, position);
        layer.set(bytes.subarray(at, at + length), MESSAGE_HEADER_BYTES);
        await this.#send(layer, length, size);
        at += length;
      }
    });
    return bytes.length;
  }

  /**
   * Passes on what `read` puts into the space that it is given, of a busy stream straight into a cell.
   *
   * @returns false when `read` has answered `null`.
   * @throws {StreamError} and whatever `read` throws.
   */
  async pass(
    read: (space: Uint8Array) => Promise<number | null>,
  ): Promise<boolean> {
    const { position } = this.#carrier;
    const few = SMALL_CELLS * capacity(SMALL, position);
    if (!this.#busy) {
      const space = new Uint8Array(few);
      const count = await read(space);
      if (count === null) return false;
      this.#busy = count === few;
      await this.write(space.subarray(0, count));
      return true;
    }
    const layer = blankLayer(LARGE, position);
    const space = layer.subarray(MESSAGE_HEADER_BYTES);
    const count = await read(space);
    if (count === null) return false;
    this.#busy = count > few;
    if (this.#busy) {
      await this.#writing(() => this.#send(layer, count, LARGE));
    } else await this.write(space.subarray(0, count));
    return true;
  }

  /** Nothing more is taken; the other end is told so when what was taken before is sent. */
  closeWrite(): Promise<void> {
    this.#outClosed = true;
    this.#endIfWritten();
    return Promise.resolve();
  }

  /** Ends both directions; what the other end still sends is lost. */
  close(): void {
    this.abort(this.#inEnded && this.#outEnded ? "done" : "misc");
  }

  /** Ends both directions, and tells the other end why. */
  abort(reason: EndReason): void {
    const wasOver = this.#failure !== undefined ||
      this.#inEnded && this.#outEnded;
    this.#break(new StreamError(reason, "Cannot go on: the stream is closed"));
    this.#chunks.length = 0;
    if (wasOver) return;
    this.#carrier.sendEnd(this.id, reason === "done" ? "misc" : reason);
    this.#carrier.finished(this.id);
  }

  /** DATA has come; `data` is kept. @throws {MalformedError} if there was no room, or it had ended. */
  deliver(data: Bytes, units: number, now: number): void {
    if (this.#inEnded) {
      throw new MalformedError("Cannot take data: the stream has ended");
    }
    this.#receiving.received(units);
    this.#chunks.push({ data, units, since: now });
    this.#awake();
  }

  /** SENDME has come. @throws {MalformedError} if nothing was to be answered. */
  granted(): void {
    this.#sending.grant(STREAM_INCREMENT);
  }

  /** END has come. */
  ended(reason: EndReason): void {
    if (reason !== "done") {
      this.#break(
        new StreamError(reason, `Cannot go on: the other end says ${reason}`),
      );
      return this.#carrier.finished(this.id);
    }
    this.#inEnded = true;
    this.#awake();
    this.#finishIfOver();
  }

  /** The circuit is gone. What has come already can be read. */
  lost(error: StreamError): void {
    this.#break(error);
  }

  /** Whether there is something to read; false at the end. */
  async #arrived(): Promise<boolean> {
    while (this.#chunks.length === 0) {
      if (this.#inEnded) return false;
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return true;
  }

  async #writing(write: () => Promise<void>): Promise<void> {
    if (this.#outClosed) {
      throw this.#failure ??
        new StreamError("done", "Cannot write: the stream is closed");
    }
    this.#writes++;
    try {
      await write();
    } finally {
      this.#writes--;
      this.#endIfWritten();
    }
  }

  #endIfWritten(): void {
    if (!this.#outClosed || this.#outEnded || this.#writes > 0) return;
    if (this.#failure !== undefined) return;
    this.#outEnded = true;
    this.#carrier.sendEnd(this.id, "done");
    this.#finishIfOver();
  }

  async #send(layer: Bytes, length: number, size: CellSize): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const room = this.#sending.take(UNITS[size]);
    if (room !== undefined) await room;
    const sent = this.#carrier.sendData(this.id, layer, length, size);
    if (sent !== undefined) await sent;
  }

  #giveBack(units: number): void {
    // What a broken stream had left was given back when it broke.
    if (this.#failure !== undefined) return;
    this.#carrier.consumed(units);
    if (this.#inEnded) return;
    const due = this.#receiving.consumed(units);
    for (let i = 0; i < due; i++) this.#carrier.sendSendme(this.id);
  }

  #break(error: StreamError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#sending.fail(error);
    this.#carrier.broke(this.id, error);
    // It can still be read, but must not hold up the streams beside it, however long nobody does.
    let units = 0;
    for (const chunk of this.#chunks) units += chunk.units;
    this.#carrier.consumed(units);
    this.#awake();
  }

  #finishIfOver(): void {
    if (this.#inEnded && this.#outEnded) this.#carrier.finished(this.id);
  }

  #awake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
