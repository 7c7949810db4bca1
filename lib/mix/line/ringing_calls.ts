import type { Certificate } from "../../identity/mod.ts";
import type { Call } from "./line_event.ts";
import { CALL_LIMIT } from "./outgoing_call.ts";

/** Missed calls of one person that are closer than this, in milliseconds, were one call dialed again. */
const SAME_CALL = 180_000;

/** A call that can be accepted. */
export interface RingingCall extends Call {
  /** Of the one who calls. */
  readonly certificate: Certificate;
}

/** The calls of others: which ring, and which are too old to be answered. */
export class RingingCalls {
  readonly #calls = new Map<string, RingingCall>();
  /** By address: calls dialed until then are known, or done with. */
  readonly #settled = new Map<string, number>();
  readonly #missed = new Map<string, number>();

  /** Those that ring, the oldest first. */
  get all(): readonly Call[] {
    return [...this.#calls.values()].map(toCall);
  }

  /** The call of that person. */
  get(address: string): RingingCall | undefined {
    return this.#calls.get(address);
  }

  /** Whether a call of that person, dialed then, is known or done with. */
  isSettled(address: string, dialedAt: number): boolean {
    return dialedAt <= (this.#settled.get(address) ?? -Infinity);
  }

  /** Calls of that person that were dialed until then are done with; none of them rings. */
  settle(address: string, until: number): void {
    const settled = this.#settled.get(address) ?? -Infinity;
    this.#settled.set(address, Math.max(settled, until));
    const call = this.#calls.get(address);
    if (call !== undefined && call.dialedAt <= until) {
      this.#calls.delete(address);
    }
  }

  /** A call was heard. Returns whether it is news that it rings: not if it rings already. */
  ring(certificate: Certificate, dialedAt: number): boolean {
    const { address } = certificate;
    const isNew = !this.#calls.has(address);
    this.settle(address, dialedAt);
    this.#calls.set(address, { address, dialedAt, certificate });
    return isNew;
  }

  /** A call was heard that is too old to be answered. Returns whether it is news. */
  miss(address: string, dialedAt: number): boolean {
    const last = this.#missed.get(address) ?? -Infinity;
    this.#missed.set(address, Math.max(last, dialedAt));
    this.settle(address, dialedAt);
    return dialedAt - last > SAME_CALL;
  }

  /** Those that have become too old, which ring no longer. */
  lapse(now: number): readonly Call[] {
    const old = [...this.#calls.values()]
      .filter(({ dialedAt }) => now - dialedAt >= CALL_LIMIT);
    for (const { address, dialedAt } of old) {
      this.#calls.delete(address);
      this.#missed.set(address, dialedAt);
    }
    return old.map(toCall);
  }
}

function toCall({ address, dialedAt }: RingingCall): Call {
  return { address, dialedAt };
}
