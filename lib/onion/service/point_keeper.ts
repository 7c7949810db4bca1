import { FLAG_MIDDLE_ONLY } from "../../directory/mod.ts";
import type { ConsensusRelay } from "../../directory/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import type { KeyAcceptance } from "../circuit/key_agreement.ts";
import { chooseRelay } from "../path/relay_choice.ts";
import type { Surroundings } from "./circuits.ts";
import type { Meeting } from "./introduction_handshake.ts";
import { IntroductionPoint } from "./introduction_point.ts";
import type { PointOwner } from "./introduction_point.ts";
import type { PointFields } from "./service_descriptor.ts";

/** Introduction points that a service has. */
export const POINTS = 3;
/** An introduction point is replaced after this, in milliseconds (18 hours). */
const POINT_LIFETIME = 64_800_000;
/** A relay that was no good as an introduction point is left alone for so long, in milliseconds. */
const AVOIDED_FOR = 30_000;

/** Takes the clients on that come by way of the points. */
export interface Reception {
  /** Whether another client can be taken on now. */
  admit(): boolean;
  /** A client waits. */
  meet(meeting: Meeting, acceptance: KeyAcceptance): void;
}

/** Sees to it that a service has introduction points, each at another relay. */
export class PointKeeper implements PointOwner {
  readonly fingerprint: Bytes;
  readonly #surroundings: Surroundings;
  readonly #reception: Reception;
  readonly #changed: (error?: unknown) => void;
  /** Introduction points, and since when they are. */
  readonly #points = new Map<IntroductionPoint, number>();
  /** By the fingerprint of their relays. */
  readonly #establishing = new Map<string, Promise<void>>();
  /** Relays that were no good, and until when they are left alone. */
  readonly #avoided = new Map<string, number>();
  readonly #closing = new AbortController();

  /** `changed` is told whenever there is one point more, or fewer, or one could not be established. */
  constructor(
    surroundings: Surroundings,
    fingerprint: Bytes,
    reception: Reception,
    changed: (error?: unknown) => void,
  ) {
    this.#surroundings = surroundings;
    this.fingerprint = fingerprint;
    this.#reception = reception;
    this.#changed = changed;
  }

  /** Where the service can be asked for now. */
  get points(): readonly PointFields[] {
    return [...this.#points.keys()].map(({ fields }) => fields);
  }

  /** Begins to establish as many points as are missing, at relays that are none yet. */
  tend(relays: readonly ConsensusRelay[]): void {
    if (this.#closing.signal.aborted) return;
    this.#dropOld(relays);
    const now = this.#surroundings.now();
    for (const [name, until] of this.#avoided) {
      if (until < now) this.#avoided.delete(name);
    }
    const taken = new Set([
      ...this.points.map(({ relay }) => relay.toHex()),
      ...this.#establishing.keys(),
      ...this.#avoided.keys(),
    ]);
    let left = relays.filter((relay) =>
      !(relay.flags & FLAG_MIDDLE_ONLY) && !taken.has(nameOf(relay))
    );
    while (this.#points.size + this.#establishing.size < POINTS) {
      const next = chooseRelay(left, this.#surroundings.random);
      if (next === undefined) return;
      left = left.filter((each) => each !== next);
      this.#establishing.set(nameOf(next), this.#establish(next));
    }
  }

  /** Resolves when what is under way now has come to be, or not. */
  async settled(): Promise<void> {
    await Promise.all(this.#establishing.values());
  }

  /** Gives up all points; resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const point of [...this.#points.keys()]) point.close();
    await this.settled();
  }

  admit(): boolean {
    return this.#reception.admit();
  }

  introduced(meeting: Meeting, acceptance: KeyAcceptance): void {
    this.#reception.meet(meeting, acceptance);
  }

  ended(point: IntroductionPoint): void {
    if (this.#points.delete(point)) this.#changed();
  }

  async #establish(relay: ConsensusRelay): Promise<void> {
    const { signal } = this.#closing;
    const { circuits, now } = this.#surroundings;
    const { fingerprint } = relay.descriptor.identity;
    let failure: unknown;
    try {
      const point = await IntroductionPoint.establish(
        circuits,
        fingerprint,
        this,
        signal,
      );
      if (signal.aborted) point.close();
      if (!point.ended) this.#points.set(point, now());
    } catch (error) {
      failure = error;
      this.#avoided.set(nameOf(relay), now() + AVOIDED_FOR);
    }
    this.#establishing.delete(nameOf(relay));
    this.#changed(failure);
  }

  /** Clients cannot go to a relay that is not listed any more. */
  #dropOld(relays: readonly ConsensusRelay[]): void {
    const listed = new Set(relays.map(nameOf));
    const now = this.#surroundings.now();
    for (const [point, since] of [...this.#points]) {
      const isListed = listed.has(point.fields.relay.toHex());
      if (!isListed || now - since > POINT_LIFETIME) point.close();
    }
  }
}

function nameOf({ descriptor }: ConsensusRelay): string {
  return descriptor.identity.fingerprint.toHex();
}
