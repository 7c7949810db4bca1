import type { ConsensusRelay } from "../../directory/mod.ts";
import type { NodeKeyring } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { RELAY } from "../cell/message.ts";
import type { Surroundings } from "./circuits.ts";
import { sealDescriptor } from "./sealed_descriptor.ts";
import { signServiceDescriptor } from "./service_descriptor.ts";
import type { PointFields } from "./service_descriptor.ts";
import { encodePublish } from "./service_message.ts";
import { indexOf, periodAt, storesOf } from "./service_ring.ts";
import { within } from "./within.ts";

/** For how long a descriptor is good, in seconds: 3 hours. */
const LIFETIME = 10_800;
/** After this it is published again, in milliseconds: an hour. */
const REPUBLISH_AFTER = 3_600_000;
/** After this it is tried again where it failed, in milliseconds: a minute. */
const RETRY_AFTER = 60_000;
/** Time for a relay to answer, in milliseconds. */
const PATIENCE = 10_000;

/** A relay that keeps a descriptor, or should. */
interface Placement {
  readonly store: ConsensusRelay;
  readonly index: Bytes;
  /** Of the index and the relay. */
  readonly key: string;
  readonly isCurrent: boolean;
}

interface Placements {
  readonly relays: readonly ConsensusRelay[];
  readonly period: number;
  readonly all: readonly Placement[];
}

/** What is known of one placement. */
interface Placed {
  /** The points that the descriptor names. */
  readonly points: string;
  /** When it was tried. */
  readonly at: number;
  readonly isUnderWay: boolean;
  /** Whether the relay has taken the last one that it was given, which may be the one before this. */
  readonly holds: boolean;
}

/** Keeps the descriptor of a service at the relays where clients look for it. */
export class DescriptorPublisher {
  readonly #surroundings: Surroundings;
  readonly #keyring: NodeKeyring;
  readonly #settled: (error?: unknown) => void;
  readonly #placed = new Map<string, Placed>();
  readonly #running = new Set<Promise<void>>();
  /** Where it belongs: computed anew only with another consensus, or in another period. */
  #placements: Placements | undefined;

  /** `settled` is told whenever one relay keeps the descriptor, or does not. */
  constructor(
    surroundings: Surroundings,
    keyring: NodeKeyring,
    settled: (error?: unknown) => void,
  ) {
    this.#surroundings = surroundings;
    this.#keyring = keyring;
    this.#settled = settled;
  }

  /** How many relays keep the descriptor for those who look now. */
  get stores(): number {
    return this.#placements?.all.filter(({ key, isCurrent }) =>
      isCurrent && this.#placed.get(key)?.holds
    ).length ?? 0;
  }

  /**
   * Begins to publish wherever a descriptor with these points is missing, or is an hour old: in this
   * period and in the next. One relay that does not answer holds up no other.
   *
   * @throws {ConsensusError | DirectoryError} if it is not known which relays there are.
   */
  async publish(
    points: readonly PointFields[],
    signal: AbortSignal,
  ): Promise<void> {
    const { time, now } = this.#surroundings;
    const name = points.map(({ authKey }) => authKey.toHex()).join(" ");
    const placements = await this.#findPlacements();
    this.#forgetOthers(placements);
    const due = placements.filter(({ key }) =>
      isDue(this.#placed.get(key), name, now())
    );
    if (due.length === 0) return;
    const publishedAt = Math.floor(time() / 1_000);
    const fields = { points, publishedAt, lifetime: LIFETIME };
    const descriptor = await signServiceDescriptor(fields, this.#keyring);
    for (const placement of due) {
      const { key } = placement;
      const holds = this.#placed.get(key)?.holds ?? false;
      const entry = { points: name, at: now(), isUnderWay: true, holds };
      this.#placed.set(key, entry);
      const settle = (holds: boolean, error?: unknown) => {
        this.#placed.set(key, { ...entry, isUnderWay: false, holds });
        this.#settled(error);
      };
      const running = this.#place(descriptor, placement, signal).then(
        () => settle(true),
        (error) => settle(false, error),
      ).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
  }

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #findPlacements(): Promise<readonly Placement[]> {
    const { directory, time } = this.#surroundings;
    const { relays } = await directory.consensus();
    const { fingerprint } = this.#keyring.certificate;
    const period = periodAt(fingerprint, Math.floor(time() / 1_000));
    const known = this.#placements;
    if (known?.relays === relays && known.period === period) return known.all;
    const both = await Promise.all([
      placementsIn(period, true, relays, fingerprint),
      placementsIn(period + 1, false, relays, fingerprint),
    ]);
    this.#placements = { relays, period, all: both.flat() };
    return this.#placements.all;
  }

  async #place(
    descriptor: Bytes,
    { store, index }: Placement,
    signal: AbortSignal,
  ): Promise<void> {
    const { fingerprint } = this.#keyring.certificate;
    const blob = await sealDescriptor(descriptor, fingerprint, index);
    const last = store.descriptor.identity.fingerprint;
    const { circuits } = this.#surroundings;
    const circuit = await circuits.circuitTo(last, () => {}, signal);
    try {
      const request = encodePublish({ index, blob });
      const kept = circuit.ask(RELAY.PUBLISH, request, RELAY.PUBLISHED);
      await within(PATIENCE, circuit, kept, signal);
    } finally {
      circuit.destroy("requested");
    }
  }

  #forgetOthers(placements: readonly Placement[]): void {
    const keys = new Set(placements.map(({ key }) => key));
    for (const key of this.#placed.keys()) {
      if (!keys.has(key)) this.#placed.delete(key);
    }
  }
}

async function placementsIn(
  period: number,
  isCurrent: boolean,
  relays: readonly ConsensusRelay[],
  fingerprint: Bytes,
): Promise<readonly Placement[]> {
  const index = await indexOf(fingerprint, period);
  const stores = await storesOf(relays, index, period);
  return stores.map((store) => {
    const relay = store.descriptor.identity.fingerprint;
    const key = `${index.toHex()} ${relay.toHex()}`;
    return { store, index, key, isCurrent };
  });
}

function isDue(placed: Placed | undefined, name: string, now: number): boolean {
  // One thing at a time: what is under way is looked at again when it is done.
  if (placed === undefined) return true;
  if (placed.isUnderWay) return false;
  if (!placed.holds) return now - placed.at >= RETRY_AFTER;
  return placed.points !== name || now - placed.at >= REPUBLISH_AFTER;
}
