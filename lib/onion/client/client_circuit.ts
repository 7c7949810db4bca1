import type { Bytes } from "../../protocol/mod.ts";
import { AEAD_TAG_BYTES, concat, MalformedError } from "../../protocol/mod.ts";
import {
  BODY_BYTES,
  CELL,
  destroyReason,
  HOPS_LIMIT,
  LARGE,
  sealedLength,
  SMALL,
  UNITS,
} from "../cell/cell.ts";
import type { CellHeader, CellSize, DestroyReason } from "../cell/cell.ts";
import { discard } from "../cell/discard.ts";
import {
  decodeMessage,
  encodeMessage,
  FORWARD,
  HERE,
  RELAY,
  sizeFor,
} from "../cell/message.ts";
import type { RelayMessage } from "../cell/message.ts";
import { handshakeBody, HopHandshake } from "../circuit/hop_handshake.ts";
import type { HopTarget } from "../circuit/hop_handshake.ts";
import { InOrder } from "../circuit/in_order.ts";
import type { HopKeys } from "../circuit/layer_key.ts";
import type { CircuitLink } from "../link/circuit_link.ts";
import { StreamError } from "../stream/stream_error.ts";
import { StreamMux } from "../stream/stream_mux.ts";
import type { HeldData, StreamAcceptor } from "../stream/stream_mux.ts";
import { CircuitError } from "./circuit_error.ts";

/** Cells that are opened at once; then the link must wait. */
const CELLS_IN_FLIGHT = 64;
/** Where a layer is put together before it is sealed, in one synchronous step. */
const SCRATCH = new Uint8Array(BODY_BYTES[LARGE]);

/** What is known of a cell while its layers are put on or taken off. */
interface CellUnderWay {
  readonly size: CellSize;
  /** The layer as it came, or its end. */
  readonly sealed: Bytes;
}

/** The client's side of one hop. */
interface Hop {
  readonly keys: HopKeys;
  readonly sealing: InOrder<Bytes, CellSize>;
  readonly opening: InOrder<Bytes, CellUnderWay>;
}

/** An answer that is waited for. */
interface Awaited {
  readonly command: number;
  readonly resolve: (data: Bytes) => void;
  readonly reject: (error: CircuitError) => void;
}

/**
 * A circuit at the client (SPEC.md §12.4): built hop by hop, every hop's keys agreed on through those
 * before it. Many cells are sealed and opened at once, layer by layer, each layer in the order of the
 * cells.
 */
export class ClientCircuit {
  /** The streams, to the last hop; set once the circuit is built. */
  #streams: StreamMux | undefined;
  readonly #link: CircuitLink;
  readonly #id: number;
  readonly #hops: Hop[] = [];
  #last: HopTarget | undefined;
  #listener: ((message: RelayMessage) => boolean) | undefined;
  readonly #ended: (error: CircuitError) => void;
  #awaited: Awaited | undefined;
  #failure: CircuitError | undefined;

  private constructor(
    link: CircuitLink,
    ended: (error: CircuitError) => void,
  ) {
    this.#link = link;
    this.#ended = ended;
    this.#id = link.open({
      cell: (header, body) => this.#cell(header, body),
      linkGone: () => this.destroy("link-gone"),
      relieve: () => this.destroy("resource-limit"),
    });
  }

  /**
   * Builds a circuit over a link to its first relay.
   *
   * @param path 1 to 8 relays.
   * @param ended told once, when the circuit is gone, after it was built.
   * @throws {CircuitError} if a relay on the way does not answer rightly; says which.
   */
  static async build(
    link: CircuitLink,
    path: readonly HopTarget[],
    ended: (error: CircuitError) => void = () => {},
    signal?: AbortSignal,
  ): Promise<ClientCircuit> {
    if (path.length < 1 || path.length > HOPS_LIMIT) {
      throw new RangeError(`Cannot build a circuit: ${path.length} hops`);
    }
    let begun = HopHandshake.begin(path[0]!, 1);
    let built = false;
    const circuit = new ClientCircuit(link, (error) => built && ended(error));
    const giveUp = () => circuit.destroy("timeout");
    signal?.addEventListener("abort", giveUp, { once: true });
    if (signal?.aborted) giveUp();
    try {
      for (const [i, target] of path.entries()) {
        const handshake = await begun;
        const answer = circuit.#request(handshake, target);
        const next = path[i + 1];
        if (next !== undefined) {
          // Made while the answer to this one is on its way, on which it does not depend.
          begun = HopHandshake.begin(next, i + 2);
          begun.catch(() => {/* seen when its turn comes, if it does */});
        }
        await circuit.#addHop(handshake, target, answer);
      }
      circuit.#streams = circuit.#muxTo(path.length);
      built = true;
      return circuit;
    } catch (error) {
      circuit.destroy("requested");
      if (error instanceof CircuitError) throw error;
      throw new CircuitError("protocol", circuit.#hops.length + 1, {
        cause: error,
      });
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
  }

  /** The streams on it. */
  get streams(): StreamMux {
    return this.#streams!;
  }

  /** How many hops it has. */
  get length(): number {
    return this.#hops.length;
  }

  /** The last relay. */
  get last(): HopTarget {
    return this.#last!;
  }

  /** 32 bytes that this client and the last relay know of this circuit, and that no other has. */
  get binding(): Bytes {
    return this.#hops.at(-1)!.keys.binding;
  }

  /** Why it is gone, if it is. */
  get failure(): CircuitError | undefined {
    return this.#failure;
  }

  /**
   * From now on `listener` is shown the messages of the last hop that nobody waits for, and says whether
   * they are for it.
   */
  listen(listener: (message: RelayMessage) => boolean): void {
    this.#listener = listener;
  }

  /** Waits for the data of a message of the last hop. @throws {CircuitError} if the circuit goes before. */
  expect(command: number): Promise<Bytes> {
    return this.#wait(command);
  }

  /** Sends a message to the last hop that it does not answer. */
  send(command: number, data: Bytes): void {
    this.#sendMessage(this.#hops.length, { command, stream: 0, data });
  }

  /**
   * Adds a hop that is no relay: the other end of a circuit that the last relay has joined to this one.
   * Streams go there from now on; with an acceptor they come from there.
   *
   * @param keys with `forward` for what this side sends.
   * @param held told of what waits for readers here.
   * @throws {RangeError} if the circuit has as many hops as there can be.
   */
  join(keys: HopKeys, acceptor?: StreamAcceptor, held?: HeldData): void {
    if (this.#hops.length === HOPS_LIMIT) {
      throw new RangeError(`Cannot join a circuit: it has ${HOPS_LIMIT} hops`);
    }
    this.#pushHop(keys);
    this.#streams = this.#muxTo(this.#hops.length, acceptor, held);
    if (this.#failure !== undefined) this.#streams.lost(goneBy(this.#failure));
  }

  /** Sends a message to the last hop that asks for an answer of a kind; the answer's data. */
  async ask(command: number, data: Bytes, answer: number): Promise<Bytes> {
    const reply = this.#wait(answer);
    this.#sendMessage(this.#hops.length, { command, stream: 0, data });
    return await reply;
  }

  /** Ends the circuit. */
  destroy(reason: DestroyReason): void {
    if (this.#failure !== undefined) return;
    const error = new CircuitError(reason, this.#hops.length + 1);
    this.#failure = error;
    this.#link.release(this.#id, reason);
    this.#awaited?.reject(error);
    this.#streams?.lost(goneBy(error));
    this.#ended(error);
  }

  /** Sends CREATE, or EXTEND to the last hop; what answers it. */
  #request({ request }: HopHandshake, target: HopTarget): Promise<Bytes> {
    const position = this.#hops.length;
    const answer = this.#wait(position === 0 ? CELL.CREATED : RELAY.EXTENDED);
    if (this.#failure !== undefined) return answer;
    if (position === 0) {
      const body = handshakeBody(request);
      this.#link.send(this.#id, CELL.CREATE, SMALL, body);
    } else {
      const data = concat(target.fingerprint, request);
      const message = { command: RELAY.EXTEND, stream: 0, data };
      this.#sendMessage(position, message);
    }
    return answer;
  }

  async #addHop(
    handshake: HopHandshake,
    target: HopTarget,
    answer: Promise<Bytes>,
  ): Promise<void> {
    const keys = await handshake.finish(await answer);
    if (this.#failure !== undefined) throw this.#failure;
    this.#pushHop(keys);
    this.#last = target;
  }

  #pushHop(keys: HopKeys): void {
    const index = this.#hops.length;
    const broken = () => this.destroy("protocol");
    this.#hops.push({
      keys,
      sealing: new InOrder(
        (sealed, size) => this.#sealed(index, sealed, size),
        broken,
      ),
      opening: new InOrder(
        (layer, cell) => this.#opened(index, layer, cell),
        broken,
      ),
    });
  }

  #muxTo(
    position: number,
    acceptor?: StreamAcceptor,
    held?: HeldData,
  ): StreamMux {
    const port = {
      position,
      ...held === undefined ? {} : { held },
      sendLayer: (layer: Bytes, size: CellSize) =>
        this.#sendLayer(position, layer, size),
      fail: () => this.destroy("protocol"),
    };
    return new StreamMux(port, acceptor);
  }

  #wait(command: number): Promise<Bytes> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#awaited !== undefined) {
      const error = new RangeError("Cannot ask: another answer is awaited");
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#awaited = { command, resolve, reject };
    });
  }

  #sendMessage(position: number, message: RelayMessage): void {
    const size = sizeFor(message.data.length, position);
    this.#sendLayer(position, encodeMessage(message, size, position), size)
      .catch(() => {/* destroys the circuit */});
  }

  #sendLayer(position: number, layer: Bytes, size: CellSize): Promise<Bytes> {
    return this.#seal(position - 1, layer, size);
  }

  /** Puts on the layer of the hop at `index`; the last one is put on while its header is sealed. */
  #seal(index: number, layer: Bytes, size: CellSize): Promise<Bytes> {
    const { keys, sealing } = this.#hops[index]!;
    const sealed = keys.forward.seal(layer);
    if (index > 0) sealing.push(sealed, size);
    else {
      const length = sealedLength(size, 1);
      this.#link.sendLater(this.#id, CELL.RELAY, size, sealed, length);
    }
    return sealed;
  }

  /** The layer of the hop at `index` is on; the next goes around it. */
  #sealed(index: number, sealed: Bytes, size: CellSize): void {
    if (this.#failure !== undefined) return;
    const layer = SCRATCH.subarray(0, sealed.length + 1);
    layer[0] = FORWARD;
    layer.set(sealed, 1);
    // Whoever remembers its tag has been told of it in this turn.
    queueMicrotask(() => discard(sealed));
    this.#seal(index - 1, layer, size);
  }

  #cell(header: CellHeader, body: Bytes): void | Promise<void> {
    if (this.#failure !== undefined) return;
    const { command, size, detail } = header;
    if (command === CELL.DESTROY) return this.destroy(destroyReason(detail));
    const first = this.#hops[0];
    if (command === CELL.CREATED && first === undefined) {
      return this.#answer(CELL.CREATED, body.slice());
    }
    if (command !== CELL.RELAY || first === undefined) {
      return this.destroy("protocol");
    }
    const layer = body.subarray(0, sealedLength(size, 1));
    const sealed = layer.slice(-AEAD_TAG_BYTES);
    first.opening.push(first.keys.backward.open(layer), { size, sealed });
    return first.opening.below(CELLS_IN_FLIGHT);
  }

  /** The layer of the hop at `index` is off. */
  #opened(index: number, layer: Bytes, cell: CellUnderWay): void {
    if (this.#failure !== undefined) return;
    if (layer[0] === HERE) return this.#message(index, layer, cell);
    if (layer[0] !== FORWARD) {
      throw new MalformedError("Cannot open a cell: it is for nobody");
    }
    const next = this.#hops[index + 1];
    if (next === undefined) {
      throw new MalformedError("Cannot open a cell: there is no such hop");
    }
    const sealed = layer.subarray(1);
    const tag = sealed.slice(-AEAD_TAG_BYTES);
    const work = next.keys.backward.open(sealed);
    discard(layer);
    next.opening.push(work, { size: cell.size, sealed: tag });
  }

  #message(index: number, layer: Bytes, { size, sealed }: CellUnderWay): void {
    if (index !== this.#hops.length - 1) {
      throw new MalformedError(
        "Cannot take a message: it is not the last hop's",
      );
    }
    const message = decodeMessage(layer);
    if (message.command === this.#awaited?.command) {
      return this.#answer(message.command, message.data);
    }
    if (message.stream === 0 && this.#listener?.(message)) return;
    if (this.#streams === undefined) {
      throw new MalformedError("Cannot take a message: nothing was asked");
    }
    this.#streams.handle(message, UNITS[size], sealed);
  }

  #answer(command: number, data: Bytes): void {
    const awaited = this.#awaited;
    if (awaited?.command !== command) return this.destroy("protocol");
    this.#awaited = undefined;
    awaited.resolve(data);
  }
}

function goneBy(cause: CircuitError): StreamError {
  return new StreamError(
    "circuit-gone",
    "Cannot go on: the circuit is gone",
    { cause },
  );
}
