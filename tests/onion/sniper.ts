import type { CircuitLink } from "../../lib/onion/link/circuit_link.ts";
import type { OnionStream } from "../../lib/onion/stream/opener.ts";
import type { RelayNetwork } from "./relay_network.ts";

/** A client that stops reading its link when it likes (Jansen et al., NDSS 2014). */
export class Sniper implements Disposable {
  /** Its link to relay 0. */
  readonly link: CircuitLink;
  readonly #stall: () => void;
  readonly #resume: () => void;

  private constructor(
    link: CircuitLink,
    stall: () => void,
    resume: () => void,
  ) {
    this.link = link;
    this.#stall = stall;
    this.#resume = resume;
  }

  /** Comes from an address of its own. */
  static async at(network: RelayNetwork): Promise<Sniper> {
    const gate = Promise.withResolvers<void>();
    let isStalled = false;
    const link = await network.link(
      0,
      "203.0.113.66",
      () => isStalled ? gate.promise : Promise.resolve(),
    );
    return new Sniper(link, () => isStalled = true, gate.resolve);
  }

  /** Reads nothing from now on. */
  stall(): void {
    this.#stall();
  }

  /** Hangs up; whoever reads is told. */
  [Symbol.dispose](): void {
    this.link.abort();
    this.#resume();
  }
}

/** Reads on and on, until the stream or the circuit ends. */
export async function drain(stream: OnionStream): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    while (await stream.read(buffer) !== null);
  } catch {
    // The circuit is gone.
  }
}
