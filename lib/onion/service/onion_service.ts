import type { NodeKeyring } from "../../identity/mod.ts";
import { Backoff } from "../../net/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import type { Surroundings } from "./circuits.ts";
import { DescriptorPublisher } from "./descriptor_publisher.ts";
import { PointKeeper, POINTS } from "./point_keeper.ts";
import type { PointFields } from "./service_descriptor.ts";
import { ServiceMeetings } from "./service_meetings.ts";
import type { MeetingOptions } from "./service_meetings.ts";

/** Between two looks whether everything is as it should be, in milliseconds. */
const LOOK_EVERY = 15_000;
/** Time in which more may happen before it is looked at, in milliseconds. */
const SETTLE = 200;

/** How a service stands. */
export interface ServiceState {
  /** Introduction points. */
  readonly points: number;
  /** Relays that keep its descriptor for those who look now: it can be reached if there is one. */
  readonly stores: number;
}

/** What a service is made of. `failed` is told of what went wrong, while it goes on trying. */
export interface OnionServiceOptions extends Surroundings, MeetingOptions {
  /** Whose fingerprint is the address. */
  readonly keyring: NodeKeyring;
  /** Told when the state has changed. */
  readonly changed?: (state: ServiceState) => void;
}

/**
 * A service that is reached through the onion network and has no public address (SPEC.md §12.8): it
 * keeps introduction points and publishes them, and meets clients wherever they wait.
 */
export class OnionService {
  readonly #options: OnionServiceOptions;
  readonly #meetings: ServiceMeetings;
  readonly #keeper: PointKeeper;
  readonly #publisher: DescriptorPublisher;
  readonly #closing = new AbortController();
  readonly #tending: Promise<void>;
  #isLookDue = false;
  #wake: (() => void) | undefined;
  #state: ServiceState = { points: 0, stores: 0 };

  private constructor(options: OnionServiceOptions) {
    this.#options = options;
    const settled = (error?: unknown) => this.#settled(error);
    this.#meetings = new ServiceMeetings(options);
    this.#keeper = new PointKeeper(
      options,
      options.keyring.certificate.fingerprint,
      this.#meetings,
      settled,
    );
    this.#publisher = new DescriptorPublisher(
      options,
      options.keyring,
      settled,
    );
    this.#tending = this.#tend();
  }

  /** Starts a service. `changed` says when it can be reached; it goes on trying until it is closed. */
  static start(options: OnionServiceOptions): OnionService {
    return new OnionService(options);
  }

  /** By which it is reached, 32 bytes. */
  get fingerprint(): Bytes {
    return this.#options.keyring.certificate.fingerprint;
  }

  /** How it stands. */
  get state(): ServiceState {
    return this.#state;
  }

  /** Where it can be asked for now. */
  get points(): readonly PointFields[] {
    return this.#keeper.points;
  }

  /** Circuits to clients. */
  get meetings(): number {
    return this.#meetings.size;
  }

  /** Takes no more clients; those who are there go on. */
  stop(): void {
    this.#closing.abort();
    this.#wake?.();
    this.#meetings.stop();
    this.#keeper.close();
  }

  /** Ends every stream and every circuit, and resolves when all of them are done. */
  async close(): Promise<void> {
    this.stop();
    await this.#tending;
    await this.#keeper.close();
    await this.#publisher.close();
    await this.#meetings.close();
  }

  /** Looks again and again whether everything is as it should be. */
  async #tend(): Promise<void> {
    const { directory } = this.#options;
    const { signal } = this.#closing;
    const backoff = new Backoff({ first: 1_000, longest: LOOK_EVERY });
    while (!signal.aborted) {
      this.#isLookDue = false;
      try {
        this.#meetings.retire();
        const { relays } = await directory.consensus();
        this.#keeper.tend(relays);
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

  #settled(error: unknown): void {
    this.#report(error);
    this.#tell();
    this.#isLookDue = true;
    this.#wake?.();
  }

  #report(error: unknown): void {
    if (error === undefined || this.#closing.signal.aborted) return;
    this.#options.failed(error);
  }

  #tell(): void {
    if (this.#closing.signal.aborted) return;
    const points = this.#keeper.points.length;
    const { stores } = this.#publisher;
    if (this.#state.points === points && this.#state.stores === stores) return;
    this.#state = { points, stores };
    this.#options.changed?.(this.#state);
  }

  /** Waits so long, or until something has happened and a moment has passed in which more may. */
  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#closing;
    if (!this.#isLookDue && !signal.aborted) await this.#sleep(milliseconds);
    if (!signal.aborted) await this.#sleep(SETTLE);
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
