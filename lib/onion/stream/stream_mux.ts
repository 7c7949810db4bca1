import type { Bytes } from "../../protocol/mod.ts";
import { AEAD_TAG_BYTES, MalformedError } from "../../protocol/mod.ts";
import { UNIT_BYTES, UNITS } from "../cell/cell.ts";
import type { CellSize } from "../cell/cell.ts";
import {
  encodeMessage,
  RELAY,
  sizeFor,
  writeMessageHeader,
} from "../cell/message.ts";
import type { RelayMessage } from "../cell/message.ts";
import { CircuitStream } from "./circuit_stream.ts";
import type { StreamCarrier } from "./circuit_stream.ts";
import { discard } from "../cell/discard.ts";
import { StreamError } from "./stream_error.ts";
import type { EndReason } from "./stream_error.ts";
import {
  encodeBegin,
  encodeEnd,
  encodeResolve,
  encodeResolved,
  parseBegin,
  parseEnd,
  parseResolve,
  parseResolved,
} from "./stream_message.ts";
import type { Destination } from "./stream_message.ts";
import {
  CIRCUIT_INCREMENT,
  CIRCUIT_WINDOW,
  CircuitWindow,
  ReceiveWindow,
} from "./window.ts";

/** Streams on one circuit at once. */
export const STREAMS_LIMIT = 512;
/**
 * Units of cells that may wait for slow readers of one circuit before it is told to send no more, at an exit:
 * 2 MiB; and at a client, which holds only its own: 8 MiB, as one with a browser has several streams that
 * stand still for long, such as films that wait to be watched.
 */
const BUFFERED_LIMIT = CIRCUIT_WINDOW;
const CLIENT_BUFFERED_LIMIT = 4 * CIRCUIT_WINDOW;
/** How long what is to be sent on a circuit stands still before it counts as clogged, in milliseconds. */
const STILL_LIMIT = 5_000;
const LAST_ID = 0xffff;
const NOTHING: Bytes = new Uint8Array(0);

/** Told what is held for readers who have not come yet. */
export interface HeldData {
  /** So many bytes more are held, or fewer. */
  change(bytes: number): void;
  /** Milliseconds of a steady clock. */
  now(): number;
}

/** The way from one end of a circuit to the other. */
export interface MessagePort {
  /** Position of the hop at which the way ends. */
  readonly position: number;
  /** Where it matters how much is held. */
  readonly held?: HeldData;
  /** Seals a layer and sends it; resolves with the innermost sealed layer. */
  sendLayer(layer: Bytes, size: CellSize): Promise<Bytes>;
  /** The other end broke a rule: the circuit is to be destroyed. */
  fail(error: unknown): void;
}

/** What an exit does; a client answers nothing. */
export interface StreamAcceptor {
  /** Somebody wants a stream; `mux.connected` or `stream.abort` answers. */
  begin(stream: CircuitStream, destination: Destination): void;
  /** Somebody wants to know addresses; `mux.resolved` or `mux.end` answers. */
  resolve(id: number, name: string): void;
}

interface Pending {
  readonly resolve: (answer: Bytes) => void;
  readonly reject: (error: StreamError) => void;
}

/** The streams of a circuit at one of its two ends, and the flow control between them. */
export class StreamMux implements StreamCarrier {
  readonly #port: MessagePort;
  readonly #acceptor: StreamAcceptor | undefined;
  readonly #streams = new Map<number, CircuitStream>();
  readonly #pending = new Map<number, Pending>();
  readonly #sending = new CircuitWindow();
  readonly #receiving = new ReceiveWindow(CIRCUIT_WINDOW, CIRCUIT_INCREMENT);
  /** Tags of the cells that are to be answered. */
  readonly #due: Bytes[] = [];
  #received = 0;
  /** Units of cells, not bytes of data: a byte in a large cell keeps all of that in memory. */
  #buffered = 0;
  readonly #bufferedLimit: number;
  #lastId = 0;
  #gone: StreamError | undefined;

  /** Without an acceptor this is the client's end. */
  constructor(port: MessagePort, acceptor?: StreamAcceptor) {
    this.#port = port;
    this.#acceptor = acceptor;
    this.#bufferedLimit = acceptor === undefined
      ? CLIENT_BUFFERED_LIMIT
      : BUFFERED_LIMIT;
  }

  get position(): number {
    return this.#port.position;
  }

  /** Bytes of data that have come in and gone out. */
  readonly traffic = { in: 0, out: 0 };

  /** Since when the oldest data have waited for a reader, by the clock of `HeldData`. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const { waitingSince = Infinity } of this.#streams.values()) {
      if (waitingSince < (oldest ?? Infinity)) oldest = waitingSince;
    }
    return oldest;
  }

  /**
   * Whether so much waits for readers that do not come that others may soon be held up, too, or what is
   * to be sent has stood still for a while: then new streams are better opened on another circuit.
   */
  get clogged(): boolean {
    return this.#sending.still > STILL_LIMIT ||
      2 * this.#buffered > this.#bufferedLimit;
  }

  /** How many streams are open or being opened. */
  get size(): number {
    let size = this.#streams.size;
    for (const id of this.#pending.keys()) if (!this.#streams.has(id)) size++;
    return size;
  }

  /**
   * Asks the exit for a connection.
   *
   * @throws {StreamError} if it does not come to be.
   */
  async open(
    destination: Destination,
    signal?: AbortSignal,
  ): Promise<CircuitStream> {
    const id = this.#takeId();
    const stream = new CircuitStream(id, this);
    this.#streams.set(id, stream);
    try {
      await this.#ask(id, RELAY.BEGIN, encodeBegin(destination), signal);
      return stream;
    } catch (error) {
      this.#streams.delete(id);
      throw error;
    }
  }

  /** Asks the exit for addresses, or for the names of an address. @throws {StreamError} */
  async resolve(
    name: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const id = this.#takeId();
    const query = encodeResolve(name);
    const answers = this.#readResolved(
      await this.#ask(id, RELAY.RESOLVE, query, signal),
    );
    if (answers.length > 0) return answers;
    throw new StreamError("resolve-failed", "Cannot resolve: no answer");
  }

  /** Tells the client that its stream stands. */
  connected(id: number): void {
    this.#send(RELAY.CONNECTED, id, NOTHING);
  }

  /** Tells the client what it asked for. */
  resolved(id: number, answers: readonly string[]): void {
    this.#send(RELAY.RESOLVED, id, encodeResolved(answers));
  }

  /** Tells the other end that there is no such stream (any more). */
  sendEnd(id: number, reason: EndReason): void {
    this.#send(RELAY.END, id, encodeEnd(reason));
  }

  /**
   * A message has come from the other end.
   *
   * @param units of the cell that it came in.
   * @param sealed the innermost layer as it came.
   * @throws {MalformedError} if it breaks a rule.
   */
  handle(message: RelayMessage, units: number, sealed: Bytes): void {
    const { command, stream: id, data } = message;
    switch (command) {
      case RELAY.DATA:
        return this.#data(id, data, units, sealed);
      case RELAY.SENDME:
        return this.#sendme(id, data);
      case RELAY.END:
        return this.#end(id, parseEnd(data));
      case RELAY.CONNECTED:
      case RELAY.RESOLVED:
        this.#pending.get(id)?.resolve(data);
        this.#pending.delete(id);
        return;
      case RELAY.BEGIN:
        return this.#begin(id, data);
      case RELAY.RESOLVE:
        return this.#resolve(id, data);
      case RELAY.DROP:
        return;
      default:
        throw new MalformedError(`Cannot take a message: command ${command}`);
    }
  }

  sendData(
    stream: number,
    layer: Bytes,
    length: number,
    size: CellSize,
  ): Promise<void> | undefined {
    const room = this.#sending.take(UNITS[size], stream);
    if (room !== undefined) {
      return room.then(() => this.#sendNow(stream, layer, length, size));
    }
    this.#sendNow(stream, layer, length, size);
    return undefined;
  }

  sendSendme(stream: number): void {
    this.#send(RELAY.SENDME, stream, NOTHING);
  }

  consumed(units: number): void {
    this.#hold(-units);
    this.#answer();
  }

  broke(stream: number, error: StreamError): void {
    this.#sending.giveUp(stream, error);
  }

  finished(stream: number): void {
    this.#streams.delete(stream);
  }

  /** The circuit is gone, and every stream on it. */
  lost(error: StreamError): void {
    this.#gone ??= error;
    this.#sending.fail(error);
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    for (const stream of this.#streams.values()) stream.lost(error);
    this.#streams.clear();
  }

  #hold(units: number): void {
    this.#buffered += units;
    this.#port.held?.change(units * UNIT_BYTES);
  }

  #sendNow(id: number, layer: Bytes, length: number, size: CellSize): void {
    if (this.#gone !== undefined) throw this.#gone;
    this.traffic.out += length;
    writeMessageHeader(layer, RELAY.DATA, id, length);
    const sealed = this.#port.sendLayer(layer, size);
    discard(layer);
    this.#sending.sent(UNITS[size], sealed);
  }

  #send(command: number, stream: number, data: Bytes): void {
    if (this.#gone !== undefined) return;
    const { position } = this.#port;
    const size = sizeFor(data.length, position);
    const layer = encodeMessage({ command, stream, data }, size, position);
    this.#port.sendLayer(layer, size).catch(
      () => {/* the circuit ends by it */},
    );
  }

  #readResolved(data: Bytes): readonly string[] {
    try {
      return parseResolved(data);
    } catch (cause) {
      this.#port.fail(cause);
      throw new StreamError("protocol", "Cannot resolve: the exit lies", {
        cause,
      });
    }
  }

  async #ask(
    id: number,
    command: number,
    data: Bytes,
    signal?: AbortSignal,
  ): Promise<Bytes> {
    if (this.#gone !== undefined) throw this.#gone;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Bytes>();
    this.#pending.set(id, { resolve, reject });
    const giveUp = () => {
      if (!this.#pending.delete(id)) return;
      this.sendEnd(id, "misc");
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", giveUp, { once: true });
    this.#send(command, id, data);
    try {
      return await promise;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  #data(id: number, data: Bytes, units: number, sealed: Bytes): void {
    this.#receiving.received(units);
    const before = Math.floor(this.#received / CIRCUIT_INCREMENT);
    this.#received += units;
    if (Math.floor(this.#received / CIRCUIT_INCREMENT) > before) {
      this.#due.push(sealed.slice(-AEAD_TAG_BYTES));
    }
    // What still comes for a stream that was closed here is counted and forgotten.
    const stream = this.#streams.get(id);
    if (stream !== undefined && data.length > 0) {
      this.traffic.in += data.length;
      stream.deliver(data, units, this.#port.held?.now() ?? 0);
      this.#hold(units);
    }
    this.#answer();
  }

  /** Answers cells of the circuit, unless too much of what came was not taken away. */
  #answer(): void {
    while (this.#due.length > 0 && this.#buffered <= this.#bufferedLimit) {
      this.#receiving.consumed(CIRCUIT_INCREMENT);
      this.#send(RELAY.SENDME, 0, this.#due.shift()!);
    }
  }

  #sendme(id: number, data: Bytes): void {
    if (id !== 0) return this.#streams.get(id)?.granted();
    this.#sending.answered(data).catch((error) => this.#port.fail(error));
  }

  #end(id: number, reason: EndReason): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return this.#streams.get(id)?.ended(reason);
    this.#pending.delete(id);
    pending.reject(
      new StreamError(reason, `Cannot open a stream: the exit says ${reason}`),
    );
  }

  #begin(id: number, data: Bytes): void {
    const destination = parseBegin(data);
    const acceptor = this.#answering(id);
    if (this.#streams.size >= STREAMS_LIMIT) {
      return this.sendEnd(id, "resource-limit");
    }
    const stream = new CircuitStream(id, this);
    this.#streams.set(id, stream);
    acceptor.begin(stream, destination);
  }

  #resolve(id: number, data: Bytes): void {
    const name = parseResolve(data);
    this.#answering(id).resolve(id, name);
  }

  #answering(id: number): StreamAcceptor {
    if (this.#acceptor === undefined || id === 0 || this.#streams.has(id)) {
      throw new MalformedError("Cannot open a stream: it is not asked rightly");
    }
    return this.#acceptor;
  }

  #takeId(): number {
    if (this.size >= STREAMS_LIMIT) {
      throw new StreamError(
        "resource-limit",
        "Cannot open a stream: the circuit is full",
      );
    }
    do this.#lastId = this.#lastId % LAST_ID + 1; while (
      this.#streams.has(this.#lastId) || this.#pending.has(this.#lastId)
    );
    return this.#lastId;
  }
}
