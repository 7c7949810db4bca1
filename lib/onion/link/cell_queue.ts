import type { Bytes } from "../../protocol/mod.ts";
import type { CellHeader } from "../cell/cell.ts";
import { BODY_BYTES } from "../cell/cell.ts";

/** A cell on its way out. */
export interface OutgoingCell {
  readonly header: CellHeader;
  /** The body, or its front, perhaps still being sealed. */
  readonly body: Bytes | Promise<Bytes>;
  /** How long that is. */
  readonly length: number;
  /** What fills it up. */
  readonly tail: Bytes;
}

/** The cells of one circuit that wait. */
interface Queue {
  readonly cells: OutgoingCell[];
  /** When each of them came, in milliseconds of a steady clock. */
  readonly since: number[];
  bytes: number;
}

/**
 * The cells that wait for a link, a queue for each circuit. They leave by turns, one of every circuit
 * that has any, so that a busy circuit does not hold up the others.
 */
export class CellQueue {
  readonly #queues = new Map<number, Queue>();
  /** Circuits with cells, the next to send first. */
  #turns: number[] = [];
  #bytes = 0;

  /** Bytes of bodies that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#turns.length === 0;
  }

  /** Bytes of bodies that wait for one circuit. */
  bytesOf(circuit: number): number {
    return this.#queues.get(circuit)?.bytes ?? 0;
  }

  /** The circuit whose first cell has waited longest, and since when. */
  oldest(): { readonly circuit: number; readonly since: number } | undefined {
    let oldest: { circuit: number; since: number } | undefined;
    for (const [circuit, { since: [since = Infinity] }] of this.#queues) {
      if (since < (oldest?.since ?? Infinity)) oldest = { circuit, since };
    }
    return oldest;
  }

  /** @param now milliseconds of a steady clock. */
  push(cell: OutgoingCell, now: number): void {
    const { circuit, size } = cell.header;
    let queue = this.#queues.get(circuit);
    if (queue === undefined) {
      queue = { cells: [], since: [], bytes: 0 };
      this.#queues.set(circuit, queue);
      this.#turns.push(circuit);
    }
    queue.cells.push(cell);
    queue.since.push(now);
    queue.bytes += BODY_BYTES[size];
    this.#bytes += BODY_BYTES[size];
  }

  /** Takes cells out by turns: at most `count`, and no more once there are `bytes` of them. */
  take(count: number, bytes: number): OutgoingCell[] {
    const cells: OutgoingCell[] = [];
    let taken = 0;
    while (cells.length < count && taken < bytes && this.#turns.length > 0) {
      const circuit = this.#turns.shift()!;
      const queue = this.#queues.get(circuit)!;
      const cell = queue.cells.shift()!;
      queue.since.shift();
      queue.bytes -= BODY_BYTES[cell.header.size];
      if (queue.cells.length > 0) this.#turns.push(circuit);
      else this.#queues.delete(circuit);
      taken += BODY_BYTES[cell.header.size];
      cells.push(cell);
    }
    this.#bytes -= taken;
    return cells;
  }

  /** Forgets what waits for a circuit; how many bytes of bodies that was. */
  drop(circuit: number): number {
    const bytes = this.bytesOf(circuit);
    this.#bytes -= bytes;
    this.#queues.delete(circuit);
    this.#turns = this.#turns.filter((each) => each !== circuit);
    return bytes;
  }

  /** Forgets everything; how many bytes of bodies that was. */
  clear(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    this.#queues.clear();
    this.#turns = [];
    return bytes;
  }
}
