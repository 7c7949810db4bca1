import { UNITS } from "../../../lib/onion/cell/cell.ts";
import type { CellSize } from "../../../lib/onion/cell/cell.ts";
import { decodeMessage, RELAY } from "../../../lib/onion/cell/message.ts";
import type { RelayMessage } from "../../../lib/onion/cell/message.ts";
import { InOrder } from "../../../lib/onion/circuit/in_order.ts";
import type { CircuitStream } from "../../../lib/onion/stream/circuit_stream.ts";
import { StreamMux } from "../../../lib/onion/stream/stream_mux.ts";
import type {
  MessagePort,
  StreamAcceptor,
} from "../../../lib/onion/stream/stream_mux.ts";
import {
  CIRCUIT_INCREMENT,
  STREAM_INCREMENT,
} from "../../../lib/onion/stream/window.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  AEAD_TAG_BYTES,
  concat,
  randomBytes,
} from "../../../lib/protocol/mod.ts";
import { pause } from "../streams.ts";

/** How long a cell is on its way: awaited for each, in any order. */
export type Travel = () => Promise<void> | undefined;

/** Counts DATA that is on its way, by stream; 0 is the circuit. */
export class InFlight {
  readonly #units = new Map<number, number>();
  readonly #most = new Map<number, number>();

  /** The most that ever was under way. */
  most(stream = 0): number {
    return this.#most.get(stream) ?? 0;
  }

  /** A message passes in the direction that is counted. */
  passed({ command, stream }: RelayMessage, units: number): void {
    if (command !== RELAY.DATA) return;
    this.#add(0, units);
    this.#add(stream, units);
  }

  /** A message passes the other way. */
  answered({ command, stream }: RelayMessage): void {
    if (command !== RELAY.SENDME) return;
    this.#add(stream, stream === 0 ? -CIRCUIT_INCREMENT : -STREAM_INCREMENT);
  }

  #add(stream: number, units: number): void {
    const now = (this.#units.get(stream) ?? 0) + units;
    this.#units.set(stream, now);
    this.#most.set(stream, Math.max(this.most(stream), now));
  }
}

/** Both ends of a circuit's streams, without relays between them. */
export class MuxPair {
  readonly client: StreamMux;
  readonly exit: StreamMux;
  /** The exit's ends of streams, in the order in which they were asked for. */
  readonly accepted: CircuitStream[] = [];
  /** What broke a rule, as the ports were told. */
  readonly failures: unknown[] = [];
  #travelling = 0;
  /** DATA towards the exit and towards the client. */
  readonly forward = new InFlight();
  readonly backward = new InFlight();

  constructor(travel: Travel = () => undefined, acceptor?: StreamAcceptor) {
    this.client = new StreamMux(
      this.#port(() => this.exit, this.forward, this.backward, travel),
    );
    this.exit = new StreamMux(
      this.#port(() => this.client, this.backward, this.forward, travel),
      acceptor ?? {
        begin: (stream) => {
          this.accepted.push(stream);
          this.exit.connected(stream.id);
        },
        resolve: (id, name) => this.exit.resolved(id, [name]),
      },
    );
  }

  /** A stream, and the exit's end of it. */
  async open(): Promise<[CircuitStream, CircuitStream]> {
    const near = await this.client.open({ host: "echo", port: 7 });
    const far = this.accepted.find(({ id }) => id === near.id)!;
    return [near, far];
  }

  /** Resolves when no cell is on its way any more. */
  async quiet(): Promise<void> {
    do await pause(1); while (this.#travelling > 0);
  }

  #port(
    target: () => StreamMux,
    own: InFlight,
    other: InFlight,
    travel: Travel,
  ): MessagePort {
    const way = new InOrder<Bytes, CellSize>((sealed, size) => {
      const message = decodeMessage(sealed.subarray(0, -AEAD_TAG_BYTES));
      target().handle(message, UNITS[size], sealed);
    }, (error) => this.failures.push(error));
    return {
      position: 3,
      sendLayer: (layer, size) => {
        const sealed = concat(layer, randomBytes(AEAD_TAG_BYTES));
        const message = decodeMessage(layer);
        own.passed(message, UNITS[size]);
        other.answered(message);
        this.#travelling++;
        const sent = Promise.resolve(travel()).then(() => sealed)
          .finally(() => this.#travelling--);
        way.push(sent, size);
        return sent;
      },
      fail: (error) => this.failures.push(error),
    };
  }
}
