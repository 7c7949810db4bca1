import type { Bytes } from "../../protocol/mod.ts";
import { AEAD_TAG_BYTES, MalformedError, Reader } from "../../protocol/mod.ts";
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
import {
  decodeMessage,
  encodeMessage,
  FORWARD,
  HERE,
  RELAY,
  sizeFor,
} from "../cell/message.ts";
import type { RelayMessage } from "../cell/message.ts";
import type { AcceptedHop } from "../circuit/hop_handshake.ts";
import { handshakeBody } from "../circuit/hop_handshake.ts";
import { InOrder } from "../circuit/in_order.ts";
import type { CircuitLink, CircuitSide } from "../link/circuit_link.ts";

/** Cells of one direction that are sealed or opened at once; then the link they come over must wait. */
const CELLS_IN_FLIGHT = 64;
/** Bytes of cells that may wait for one circuit in one direction: its window, and something for control. */
const QUEUE_LIMIT = 2_500_000;
const FINGERPRINT_BYTES = 32;
/** Where a layer is put together before it is sealed, in one synchronous step. */
const SCRATCH = new Uint8Array(BODY_BYTES[LARGE]);
const MESSAGE_LIMIT = 4_096;

/** What a circuit needs of its relay. */
export interface CircuitHost {
  /**
   * A link to another relay, which is known by the directory.
   *
   * @throws {ExtendError} if there is none.
   */
  linkTo(fingerprint: Bytes): Promise<CircuitLink>;
  /** Takes the messages that are for this relay: streams, introductions, rendezvous. */
  serve(circuit: RelayCircuit): CircuitService;
  /** The circuit is over. */
  ended(circuit: RelayCircuit, reason: DestroyReason): void;
}

/** What a relay does at the end of a circuit. */
export interface CircuitService {
  /** @throws {MalformedError} destroys the circuit. */
  handle(message: RelayMessage, units: number, sealed: Bytes): void;
  /** The circuit is gone. */
  lost(): void;
}

/** A circuit cannot be extended. */
export class ExtendError extends Error {
  /** The name of this class. */
  override readonly name = "ExtendError";
  /** Stable, for programs. */
  readonly code = "ERR_EXTEND";
  /** What the client is told. */
  readonly reason: DestroyReason;

  /** With the reason that the client is told. */
  constructor(reason: DestroyReason, options?: ErrorOptions) {
    super(`Cannot extend a circuit: ${reason}`, options);
    this.reason = reason;
  }
}

/** One side of a circuit: a link, and the circuit's number there. */
interface Side {
  readonly link: CircuitLink;
  readonly id: number;
}

/**
 * A circuit at one of its relays (SPEC.md §12.4). From the client's side a layer is taken off every cell,
 * towards it one is put on; whatever is lost, repeated, moved or altered does not open, and destroys the
 * circuit.
 */
export class RelayCircuit {
  /** Which hop this relay is, from 1. */
  readonly position: number;
  /** What the link to the client hands its cells to. */
  readonly fromPrevious: CircuitSide;
  readonly #host: CircuitHost;
  readonly #previous: Side;
  readonly #keys: AcceptedHop["keys"];
  readonly #opening: InOrder<Bytes, { size: CellSize; sealed: Bytes }>;
  readonly #service: CircuitService;
  #next: Side | undefined;
  /** Whether the next relay has answered. */
  #extended = false;
  #extending = false;
  /** The circuit that this one is joined to. */
  #peer: RelayCircuit | undefined;
  #ended = false;

  constructor(
    host: CircuitHost,
    link: CircuitLink,
    id: number,
    { keys, position }: AcceptedHop,
  ) {
    this.#host = host;
    this.#previous = { link, id };
    this.#keys = keys;
    this.position = position;
    const broken = () => this.destroy("protocol");
    this.#opening = new InOrder(
      (layer, cell) => this.#forward(layer, cell.size, cell.sealed),
      broken,
    );
    this.fromPrevious = {
      cell: (header, body) => this.#fromPrevious(header, body),
      linkGone: () => this.destroy("link-gone"),
      relieve: () => this.destroy("resource-limit"),
    };
    this.#service = host.serve(this);
  }

  /** 32 bytes that only the client knows but this relay. */
  get binding(): Bytes {
    return this.#keys.binding;
  }

  /** Whether it ends at this relay, and goes on neither to a next one nor to another circuit. */
  get isEnd(): boolean {
    return !this.#ended && !this.#extending && this.#peer === undefined;
  }

  /**
   * Joins two circuits that both end here: what comes on either for a hop behind this one goes back on
   * the other. Neither can be extended any more, and both end together.
   *
   * @throws {MalformedError} if one of them does not end here, or they are not of one length: then the
   * layers of one do not fit into the other's.
   */
  joinTo(other: RelayCircuit): void {
    if (
      !this.isEnd || !other.isEnd || this === other ||
      this.position !== other.position || this.position === HOPS_LIMIT
    ) {
      throw new MalformedError("Cannot join circuits: their ends do not meet");
    }
    this.#peer = other;
    other.#peer = this;
  }

  /** Whether it was destroyed. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Sends a message of this relay's own to the client. */
  sendMessage(command: number, stream: number, data: Bytes): void {
    if (this.#ended) return;
    const size = sizeFor(data.length, this.position);
    const message = { command, stream, data };
    this.sendLayer(encodeMessage(message, size, this.position), size)
      .catch(() => {/* destroys the circuit */});
  }

  /** Seals a layer for the client and sends it; resolves with the sealed layer. */
  sendLayer(layer: Bytes, size: CellSize): Promise<Bytes> {
    const sealed = this.#keys.backward.seal(layer);
    if (this.#ended) return sealed;
    const { link, id } = this.#previous;
    const length = sealedLength(size, this.position);
    link.sendLater(id, CELL.RELAY, size, sealed, length);
    this.#checkQueue(this.#previous);
    return sealed;
  }

  /** Ends the circuit; both neighbours are told. */
  destroy(reason: DestroyReason): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const side of [this.#previous, this.#next]) {
      side?.link.release(side.id, reason);
    }
    this.#service.lost();
    this.#host.ended(this, reason);
    this.#peer?.destroy(reason);
  }

  #fromPrevious(header: CellHeader, body: Bytes): void | Promise<void> {
    if (this.#ended) return;
    if (header.command === CELL.DESTROY) {
      return this.destroy(destroyReason(header.detail));
    }
    if (header.command !== CELL.RELAY) return this.destroy("protocol");
    const { size } = header;
    const layer = body.subarray(0, sealedLength(size, this.position));
    const sealed = layer.slice(-AEAD_TAG_BYTES);
    this.#opening.push(this.#keys.forward.open(layer), { size, sealed });
    return this.#opening.below(CELLS_IN_FLIGHT);
  }

  #forward(layer: Bytes, size: CellSize, sealed: Bytes): void {
    if (this.#ended) return;
    if (layer[0] === FORWARD && this.#next !== undefined && this.#extended) {
      const { link, id } = this.#next;
      link.send(id, CELL.RELAY, size, layer.subarray(1));
      return this.#checkQueue(this.#next);
    }
    if (layer[0] === FORWARD && this.#peer !== undefined) {
      return void this.#peer.sendLayer(layer, size).catch(() => {
        // Destroys the circuit.
      });
    }
    if (layer[0] !== HERE) {
      throw new MalformedError("Cannot pass a cell on: there is no next hop");
    }
    const message = decodeMessage(layer);
    if (message.command === RELAY.EXTEND && message.stream === 0) {
      this.#extend(message.data);
    } else this.#service.handle(message, UNITS[size], sealed);
  }

  #extend(data: Bytes): void {
    if (!this.isEnd || this.position === HOPS_LIMIT) {
      throw new MalformedError("Cannot extend a circuit: it ends here");
    }
    this.#extending = true;
    const reader = new Reader(data);
    const fingerprint = reader.take(FINGERPRINT_BYTES);
    const request = reader.rest();
    if (request.length > BODY_BYTES[SMALL]) {
      throw new MalformedError(
        `Cannot extend a circuit: ${request.length} bytes`,
      );
    }
    this.#host.linkTo(fingerprint).then((link) => {
      if (this.#ended) return;
      const id = link.open({
        cell: (header, body) => this.#fromNext(header, body),
        linkGone: () => this.destroy("link-gone"),
        relieve: () => this.destroy("resource-limit"),
      });
      this.#next = { link, id };
      link.send(id, CELL.CREATE, SMALL, handshakeBody(request));
    }).catch((error) => {
      this.destroy(
        error instanceof ExtendError ? error.reason : "connect-failed",
      );
    });
  }

  #fromNext(header: CellHeader, body: Bytes): void | Promise<void> {
    if (this.#ended) return;
    const { size, command } = header;
    if (command === CELL.DESTROY) {
      return this.destroy(destroyReason(header.detail));
    }
    if (command === CELL.CREATED && !this.#extended) {
      return this.#created(body);
    }
    if (command !== CELL.RELAY || !this.#extended) {
      return this.destroy("protocol");
    }
    // What the next relay sealed goes behind our mark that there is more to open.
    const layer = SCRATCH.subarray(
      0,
      sealedLength(size, this.position) - AEAD_TAG_BYTES,
    );
    layer[0] = FORWARD;
    layer.set(body.subarray(0, layer.length - 1), 1);
    this.sendLayer(layer, size).catch(() => {/* destroys the circuit */});
  }

  #created(body: Bytes): void {
    try {
      const length = new Reader(body).u16();
      if (length > MESSAGE_LIMIT) {
        throw new MalformedError(`Cannot extend a circuit: ${length} bytes`);
      }
      this.#extended = true;
      this.sendMessage(RELAY.EXTENDED, 0, body.slice(0, 2 + length));
    } catch {
      this.destroy("protocol");
    }
  }

  #checkQueue({ link, id }: Side): void {
    if (link.queuedOf(id) > QUEUE_LIMIT) this.destroy("resource-limit");
  }
}
