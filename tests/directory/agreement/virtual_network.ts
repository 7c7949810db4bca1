import { Agreement } from "../../../lib/directory/agreement/agreement.ts";
import {
  encodeMessage,
  parseMessage,
} from "../../../lib/directory/agreement/message.ts";
import type { AgreementMessage } from "../../../lib/directory/agreement/message.ts";
import type {
  Candidate,
  Offence,
  Output,
} from "../../../lib/directory/agreement/output.ts";
import {
  encodeStanding,
  parseStanding,
} from "../../../lib/directory/agreement/standing.ts";
import type { Consensus } from "../../../lib/directory/consensus.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { controllers, NOW } from "../relays.ts";
import type { Controllers } from "../relays.ts";

/** What becomes of a message on its way: whether it arrives, how late in milliseconds, and as what. */
export interface Passage {
  readonly lost?: boolean;
  readonly delay?: number;
  readonly message?: AgreementMessage;
}

/** What is on its way. */
interface Letter {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly bytes: Bytes;
}

/** One controller of a virtual network. */
interface Place {
  agreement: Agreement;
  candidates: Candidate[];
  /** Its disk. */
  kept: Bytes | undefined;
  head: Consensus | undefined;
  up: boolean;
  /** Milliseconds by which its clock is ahead. */
  readonly skew: number;
  /** Every hash that it ever let out with a signature, by height. */
  readonly signed: Map<number, Set<string>>;
}

/** How a virtual network behaves. */
export interface VirtualOptions {
  readonly count: number;
  readonly quorum?: number;
  /** Seconds. */
  readonly interval?: number;
  readonly skews?: readonly number[];
  /** Decides about every message between two controllers. */
  readonly passage?: (
    from: number,
    to: number,
    message: AgreementMessage,
  ) => Passage;
}

/** Controllers that agree over a network of no sockets, at a time that is told. */
export class VirtualNetwork {
  readonly controllers: Controllers;
  readonly places: Place[] = [];
  readonly caught: { by: number; who: number; offence: Offence }[] = [];
  now: number = NOW * 1_000;
  readonly #options: VirtualOptions;
  #letters: Letter[] = [];

  private constructor(options: VirtualOptions, by: Controllers) {
    this.#options = options;
    this.controllers = by;
  }

  static async of(options: VirtualOptions): Promise<VirtualNetwork> {
    const by = await controllers(options.count, options.quorum);
    const network = new VirtualNetwork(options, by);
    for (let i = 0; i < options.count; i++) {
      const place: Partial<Place> = {
        candidates: [],
        kept: undefined,
        head: undefined,
        up: true,
        skew: options.skews?.[i] ?? 0,
        signed: new Map(),
      };
      network.places.push(place as Place);
      await network.start(i);
    }
    return network;
  }

  /** The place of a controller. */
  indexOf(fingerprint: Bytes): number {
    const hex = fingerprint.toHex();
    return this.controllers.keyrings.findIndex((each) =>
      each.certificate.fingerprint.toHex() === hex
    );
  }

  /** Starts a controller from what is on its disk. */
  async start(i: number): Promise<void> {
    const place = this.places[i]!;
    const kept = place.kept && await parseStanding(place.kept);
    place.up = true;
    place.agreement = new Agreement(
      {
        keyring: this.controllers.keyrings[i]!,
        network: this.controllers.network,
        interval: this.#options.interval ?? 60,
        lifetime: 10_800,
        candidates: () => place.candidates,
      },
      place.head,
      kept,
    );
  }

  /** Stops one, as `kill -9` does. */
  kill(i: number): void {
    this.places[i]!.up = false;
  }

  /** Shows relays to some controllers, or to all. */
  show(
    candidates: readonly Candidate[],
    to: readonly number[] = this.places.map((_, i) => i),
  ): void {
    for (const i of to) this.places[i]!.candidates.push(...candidates);
  }

  /** Lets so many milliseconds go by, in steps. */
  async run(milliseconds: number, step = 100): Promise<void> {
    const end = this.now + milliseconds;
    while (this.now < end) {
      this.now += step;
      await this.#deliver();
      for (const [i, place] of this.places.entries()) {
        if (!place.up) continue;
        await this.#perform(
          i,
          await place.agreement.tick(this.#clock(i), true),
        );
      }
      await this.#deliver();
    }
  }

  /** Runs until `done`, at most so long. */
  async until(done: () => boolean, milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    while (!done()) {
      if (this.now >= end) throw new Error("it did not come to that in time");
      await this.run(100);
    }
  }

  /** The heights that the controllers are at. */
  get heights(): number[] {
    return this.places.map(({ head }) => head?.height ?? 0);
  }

  /** Sends a message, as if `from` had. */
  post(from: number, to: number, message: AgreementMessage): void {
    const passage = this.#options.passage?.(from, to, message) ?? {};
    if (passage.lost === true) return;
    this.#letters.push({
      at: this.now + (passage.delay ?? 10),
      from,
      to,
      bytes: encodeMessage(passage.message ?? message),
    });
  }

  #clock(i: number): number {
    return this.now + this.places[i]!.skew;
  }

  async #deliver(): Promise<void> {
    for (;;) {
      const due = this.#letters.filter(({ at }) => at <= this.now);
      if (due.length === 0) return;
      this.#letters = this.#letters.filter(({ at }) => at > this.now);
      for (const { from, to, bytes } of due) {
        const place = this.places[to]!;
        if (!place.up) continue;
        const { fingerprint } = this.controllers.keyrings[from]!.certificate;
        let outputs: Output[] = [];
        try {
          outputs = await place.agreement.receive(
            fingerprint,
            parseMessage(bytes),
            this.#clock(to),
          );
        } catch (error) {
          if (!(error instanceof Error) || error.name !== "MalformedError") {
            throw error;
          }
        }
        await this.#perform(to, outputs);
      }
    }
  }

  async #perform(i: number, outputs: readonly Output[]): Promise<void> {
    const place = this.places[i]!;
    for (const output of outputs) {
      switch (output.kind) {
        case "keep":
          place.kept = encodeStanding(output.standing);
          break;
        case "publish":
          place.head = output.consensus;
          break;
        case "behind":
          await this.#fetch(i, output.controller);
          break;
        case "caught":
          this.caught.push({
            by: i,
            who: this.indexOf(output.controller),
            offence: output.offence,
          });
          break;
        case "send":
          this.#note(i, output.message);
          for (const to of this.places.keys()) {
            if (to === i) continue;
            if (output.to !== undefined && this.indexOf(output.to) !== to) {
              continue;
            }
            this.post(i, to, output.message);
          }
      }
    }
  }

  #note(i: number, message: AgreementMessage): void {
    if (message.kind !== "signature") return;
    const { signed } = this.places[i]!;
    const hashes = signed.get(message.height) ?? new Set();
    signed.set(message.height, hashes.add(message.hash.toHex()));
  }

  async #fetch(i: number, controller: Bytes): Promise<void> {
    const from = this.places[this.indexOf(controller)]!;
    const place = this.places[i]!;
    if (!from.up || from.head === undefined) return;
    if (from.head.height <= (place.head?.height ?? 0)) return;
    place.head = from.head;
    place.agreement.advance(from.head);
    await Promise.resolve();
  }
}
