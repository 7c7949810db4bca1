import { FLAG_MIDDLE_ONLY } from "../../directory/mod.ts";
import type { ConsensusRelay } from "../../directory/mod.ts";
import type { NodeKeyring } from "../../identity/mod.ts";
import { Backoff, TokenBuckets } from "../../net/mod.ts";
import type { BucketRate, Incoming } from "../../net/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { RELAY } from "../cell/message.ts";
import type { KeyAcceptance } from "../circuit/key_agreement.ts";
import type { ClientCircuit } from "../client/client_circuit.ts";
import { chooseRelay } from "../path/relay_choice.ts";
import type { Surroundings } from "./circuits.ts";
import { DescriptorPublisher } from "./descriptor_publisher.ts";
import type { Meeting } from "./introduction_handshake.ts";
import { IntroductionPoint } from "./introduction_point.ts";
import type { PointOwner } from "./introduction_point.ts";
import type { PointFields } from "./service_descriptor.ts";
import { encodeRendezvous } from "./service_message.ts";
import { ServiceStreams } from "./service_streams.ts";

/** Introduction points that a service has. */
const POINTS = 3;
/** Circuits to clients at once. */
const MEETINGS_LIMIT = 1_024;
/** Streams of clients at once. */
const STREAMS_LIMIT = 8_192;
/** New clients: each costs a circuit. */
const RATE: BucketRate = { perSecond: 20, burst: 200 };
/** A circuit without streams goes after this, in milliseconds (15 minutes, longer than clients keep it). */
const IDLE = 900_000;
/** A relay that was no good as an introduction point is left alone for so long, in milliseconds. */
const AVOIDED_FOR = 30_000;
/** Time in which more may happen before it is looked at, in milliseconds. */
const SETTLE = 200;
/** Between two looks whether everything is as it should be, in milliseconds. */
const LOOK_EVERY = 15_000;
/** An introduction point is replaced after this, in milliseconds (18 hours). */
const POINT_LIFETIME = 64_800_000;

/** How a service stands. */
export interface ServiceState {
  /** Introduction points. */
  readonly points: number;
  /** Relays that keep its descriptor for those who look now: it can be reached if there is one. */
  readonly stores: number;
}

interface MeetingCircuit {
  readonly circuit: ClientCircuit;
  /** When it was last seen with a stream. */
  usedAt: number;
}

/** What a service is made of. */
export interface OnionServiceOptions extends Surroundings {
  /** Whose fingerprint is the address. */
  readonly keyring: NodeKeyring;
  /** Serves a stream until it ends; the group of all of them is `onion`. */
  readonly accept: (incoming: Incoming) => Promise<void>;
  /** Told of what went wrong, while it goes on trying. */
  readonly failed: (error: unknown) => void;
  /** Told when the state has changed. */
  readonly changed?: (state: ServiceState) => void;
  /** Other than 20 new clients a second, after the first 200. */
  readonly rate?: BucketRate;
}

/**
 * A service that is reached through the onion network and has no public address (SPEC.md §12.8): it
 * keeps introduction points and publishes them, and meets clients wherever they wait.
 */
export class OnionService implements PointOwner {
  readonly #options: OnionServiceOptions;
  readonly #publisher: DescriptorPublisher;
  readonly #rate: TokenBuckets;
  /** Introduction points, and since when they are. */
  readonly #points = new Map<IntroductionPoint, number>();
  /** Fingerprints of relays that are being made introduction points. */
  readonly #establishing = new Set<string>();
  /** Those that were no good, and until when they are left alone. */
  readonly #avoided = new Map<string, number>();
  /** Circuits to clients. */
  readonly #meetings = new Map<number, MeetingCircuit>();
  readonly #streams = new Map<Incoming, Promise<void>>();
  /** What goes on in the background. */
  readonly #running = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #tending: Promise<void>;
  #meetingsUnderWay = 0;
  #lastMeeting = 0;
  #isLookDue = false;
  #wake: (() => void) | undefined;
  #state: ServiceState = { points: 0, stores: 0 };

  private constructor(options: OnionServiceOptions) {
    this.#options = options;
    this.#publisher = new DescriptorPublisher(
      options,
      options.keyring,
      (error) => {
        this.#report(error);
        this.#tell();
        this.#look();
      },
    );
    this.#rate = new TokenBuckets(options.rate ?? RATE);
    this.#tending = this.#tend();
  }

  /** Starts a service. `changed` says when it can be reached; it goes on trying until it is closed. */
  static start(options: OnionServiceOptions): OnionService {
    return new OnionService(options);
  }

  get fingerprint(): Bytes {
    return this.#options.keyring.certificate.fingerprint;
  }

  /** How it stands. */
  get state(): ServiceState {
    return this.#state;
  }

  /** Where it can be asked for now. */
  get points(): readonly PointFields[] {
    return [...this.#points.keys()].map(({ fields }) => fields);
  }

  /** Circuits to clients. */
  get meetings(): number {
    return this.#meetings.size;
  }

  /** Takes no more clients; those who are there go on. */
  stop(): void {
    this.#closing.abort();
    this.#look();
    for (const point of [...this.#points.keys()]) point.close();
  }

  /** Ends every stream and every circuit, and resolves when all of them are done. */
  async close(): Promise<void> {
    this.stop();
    await this.#tending;
    await Promise.all([...this.#running, this.#publisher.close()]);
    for (const incoming of this.#streams.keys()) incoming.close();
    for (const { circuit } of [...this.#meetings.values()]) {
      circuit.destroy("requested");
    }
    await Promise.all(this.#streams.values());
  }

  admit(): boolean {
    if (this.#closing.signal.aborted) return false;
    const meetings = this.#meetings.size + this.#meetingsUnderWay;
    return meetings < MEETINGS_LIMIT &&
      this.#rate.take("", this.#options.now()) === 0;
  }

  introduced(meeting: Meeting, acceptance: KeyAcceptance): void {
    this.#meetingsUnderWay++;
    this.#run(
      this.#meet(meeting, acceptance).finally(() => this.#meetingsUnderWay--),
    );
  }

  ended(point: IntroductionPoint): void {
    if (this.#points.delete(point)) this.#look();
  }

  /** Looks again and again whether everything is as it should be. */
  async #tend(): Promise<void> {
    const { signal } = this.#closing;
    const backoff = new Backoff({ first: 1_000, longest: LOOK_EVERY });
    while (!signal.aborted) {
      this.#isLookDue = false;
      try {
        this.#retire();
        await this.#findPoints();
        const { points } = this;
        if (points.length > 0) await this.#publisher.publish(points, signal);
        this.#tell();
      } catch (error) {
        this.#report(error);
      }
      const { points, stores } = this.#state;
      const isWhole = points === POINTS && stores > 0;
      if (isWhole) backoff.reset();
      await this.#pause(isWhole ? LOOK_EVERY : backoff.next());
    }
  }

  /** Begins to establish as many introduction points as are missing, at relays that are none yet. */
  async #findPoints(): Promise<void> {
    const { relays } = await this.#options.directory.consensus();
    this.#dropOldPoints(relays);
    const now = this.#options.now();
    const taken = new Set([
      ...this.points.map(({ relay }) => relay.toHex()),
      ...this.#establishing,
    ]);
    for (const [name, until] of this.#avoided) {
      if (until < now) this.#avoided.delete(name);
    }
    let left = relays.filter((relay) =>
      !(relay.flags & FLAG_MIDDLE_ONLY) && !taken.has(printOf(relay)) &&
      !this.#avoided.has(printOf(relay))
    );
    while (this.#points.size + this.#establishing.size < POINTS) {
      const next = chooseRelay(left, this.#options.random);
      if (next === undefined) return;
      left = left.filter((each) => each !== next);
      this.#establishing.add(printOf(next));
      this.#run(this.#establish(next));
    }
  }

  async #establish(relay: ConsensusRelay): Promise<void> {
    const { signal } = this.#closing;
    const { circuits, now } = this.#options;
    const { fingerprint } = relay.descriptor.identity;
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
      this.#avoided.set(printOf(relay), now() + AVOIDED_FOR);
      throw error;
    } finally {
      this.#establishing.delete(printOf(relay));
      this.#look();
    }
  }

  /** Clients cannot go to a relay that is not listed any more. */
  #dropOldPoints(relays: readonly ConsensusRelay[]): void {
    const listed = new Set(relays.map(printOf));
    const now = this.#options.now();
    for (const [point, since] of [...this.#points]) {
      const isListed = listed.has(point.fields.relay.toHex());
      if (!isListed || now - since > POINT_LIFETIME) point.close();
    }
  }

  /** Goes where a client waits (rend-spec-v3 §4.2). */
  async #meet(
    { relay, cookie, hops }: Meeting,
    acceptance: KeyAcceptance,
  ): Promise<void> {
    const { signal } = this.#closing;
    const { circuits, now } = this.#options;
    const id = ++this.#lastMeeting;
    const ended = () => void this.#meetings.delete(id);
    const circuit = await circuits.circuitTo(relay, ended, signal, hops);
    if (signal.aborted || circuit.length !== hops) {
      // Of another length, the layers of one would not fit into the other's.
      return circuit.destroy("requested");
    }
    const { answer, keys } = await acceptance.finish();
    if (circuit.failure !== undefined) throw circuit.failure;
    circuit.send(RELAY.RENDEZVOUS, encodeRendezvous(cookie, answer));
    const { forward, backward, binding } = keys;
    const streams = new ServiceStreams(
      circuit,
      (incoming) => this.#accept(incoming),
    );
    circuit.join({ forward: backward, backward: forward, binding }, streams);
    this.#meetings.set(id, { circuit, usedAt: now() });
  }

  #accept(incoming: Incoming): boolean {
    if (this.#streams.size >= STREAMS_LIMIT) return false;
    const { accept, failed } = this.#options;
    const serving = accept(incoming).catch(failed).finally(() => {
      incoming.close();
      this.#streams.delete(incoming);
    });
    this.#streams.set(incoming, serving);
    return true;
  }

  /** Ends circuits on which nothing happens. */
  #retire(): void {
    const now = this.#options.now();
    for (const meeting of [...this.#meetings.values()]) {
      const { circuit, usedAt } = meeting;
      if (circuit.streams.size > 0) meeting.usedAt = now;
      else if (now - usedAt > IDLE) circuit.destroy("requested");
    }
  }

  #run(work: Promise<void>): void {
    const running = work.catch((error) => this.#report(error))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  #report(error: unknown): void {
    if (error === undefined || this.#closing.signal.aborted) return;
    this.#options.failed(error);
  }

  #tell(): void {
    const points = this.#points.size;
    const { stores } = this.#publisher;
    if (this.#state.points === points && this.#state.stores === stores) return;
    this.#state = { points, stores };
    this.#options.changed?.(this.#state);
  }

  /** Has it looked at soon whether everything is as it should be. */
  #look(): void {
    this.#isLookDue = true;
    this.#wake?.();
  }

  async #pause(milliseconds: number): Promise<void> {
    if (!this.#isLookDue) await this.#sleep(milliseconds);
    if (!this.#closing.signal.aborted) await this.#sleep(SETTLE);
  }

  async #sleep(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#wake = () => {
      if (milliseconds > SETTLE || this.#closing.signal.aborted) resolve();
    };
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }
}

function printOf({ descriptor }: ConsensusRelay): string {
  return descriptor.identity.fingerprint.toHex();
}
