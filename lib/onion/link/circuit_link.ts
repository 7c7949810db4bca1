import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { CELL } from "../cell/cell.ts";
import type { CellHeader, CellSize, DestroyReason } from "../cell/cell.ts";
import type { CellSink, Link } from "./link.ts";
import type { MemoryHolder } from "./queue_memory.ts";

/** What a circuit is to one of the links that it runs over. */
export interface CircuitSide {
  /** A cell has come; see `CellSink.cell`. */
  cell(header: CellHeader, body: Bytes): void | Promise<void>;
  /** The link is gone. */
  linkGone(): void;
  /** The circuit holds the oldest data while there is too much of them. */
  relieve(): void;
}

/** Takes the CREATEs of a link that somebody else has opened. */
export type CreateHandler = (
  link: CircuitLink,
  id: number,
  body: Bytes,
) => void;

/** A link of a relay or a client, and the circuits that run over it. */
export class CircuitLink implements CellSink, MemoryHolder {
  readonly #link: Link;
  readonly #create: CreateHandler | undefined;
  readonly #circuits = new Map<number, CircuitSide>();
  #lastId = 0;

  /** Without `create` it is a link that this side has opened: only this side opens circuits on it. */
  constructor(link: Link, create?: CreateHandler) {
    this.#link = link;
    this.#create = create;
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#link.ended;
  }

  /** How many circuits run over it. */
  get circuits(): number {
    return this.#circuits.size;
  }

  /** Serves the link until it ends; `took` is asked before every cell, and can make it wait. */
  async run(took: (bytes: number) => Promise<void>): Promise<void> {
    try {
      await this.#link.receive(this, took);
    } finally {
      const circuits = [...this.#circuits.values()];
      this.#circuits.clear();
      for (const circuit of circuits) circuit.linkGone();
    }
  }

  cell(header: CellHeader, body: Bytes): void | Promise<void> {
    const circuit = this.#circuits.get(header.circuit);
    if (header.command === CELL.CREATE) {
      if (this.#create === undefined || circuit !== undefined) {
        throw new MalformedError("Cannot make a circuit: its number is taken");
      }
      return this.#create(this, header.circuit, body.slice());
    }
    // Cells of a circuit that was just destroyed may still be on their way.
    return circuit?.cell(header, body);
  }

  /** Gives a circuit a number on this link; if that has ended, the circuit is told at once. */
  open(circuit: CircuitSide): number {
    if (this.#link.ended) queueMicrotask(() => circuit.linkGone());
    do this.#lastId = this.#lastId % 0xffff_ffff + 1; while (
      this.#circuits.has(this.#lastId)
    );
    this.#circuits.set(this.#lastId, circuit);
    return this.#lastId;
  }

  /** Takes a circuit on whose number the other side has chosen. */
  enter(id: number, circuit: CircuitSide): void {
    this.#circuits.set(id, circuit);
  }

  /** Sends a cell. */
  send(id: number, command: number, size: CellSize, body: Bytes): void {
    this.#link.send(id, command, size, body);
  }

  /** Sends a cell whose body is being sealed, and will be `length` bytes long. */
  sendLater(
    id: number,
    command: number,
    size: CellSize,
    body: Promise<Bytes>,
    length: number,
  ): void {
    this.#link.sendLater(id, command, size, body, length);
  }

  /** Bytes that wait to be sent for a circuit. */
  queuedOf(id: number): number {
    return this.#link.queuedOf(id);
  }

  /** The circuit is over; the other side is told why. */
  release(id: number, reason: DestroyReason): void {
    this.#circuits.delete(id);
    this.#link.destroy(id, reason);
  }

  oldest(): number | undefined {
    return this.#link.oldest()?.since;
  }

  relieve(): void {
    const oldest = this.#link.oldest();
    if (oldest === undefined) return;
    const circuit = this.#circuits.get(oldest.circuit);
    if (circuit === undefined) this.#link.drop(oldest.circuit);
    else circuit.relieve();
  }

  /** Sends what is queued, then closes. */
  close(): Promise<void> {
    return this.#link.close();
  }

  /** Drops the link. */
  abort(): void {
    this.#link.abort();
  }
}
