import type { Bytes } from "../../protocol/mod.ts";
import { randomBelow, randomBytes } from "../../protocol/mod.ts";
import { HOPS_LIMIT } from "../cell/cell.ts";
import { RELAY } from "../cell/message.ts";
import type { KeyOffer } from "../circuit/key_agreement.ts";
import type { ClientCircuit } from "../client/client_circuit.ts";
import { StreamError } from "../stream/stream_error.ts";
import type { Surroundings } from "./circuits.ts";
import { findDescriptor } from "./descriptor_finder.ts";
import { offerMeeting } from "./introduction_handshake.ts";
import type { PointFields, ServiceDescriptor } from "./service_descriptor.ts";
import {
  COOKIE_BYTES,
  encodeIntroduce,
  parseIntroduced,
  parseJoined,
} from "./service_message.ts";
import { within } from "./within.ts";

/** Introduction points that are tried, of one descriptor after the other. */
const ATTEMPTS = 6;
/** Time for a relay to answer, in milliseconds. */
const PATIENCE = 10_000;
/** Time in which a service publishes new points when it has lost some, in milliseconds. */
const REPUBLISHED_WITHIN = 2_000;
/** Time for the service to come to the rendezvous, in milliseconds, unless the client says otherwise. */
const MEETING_PATIENCE = 20_000;

/** A circuit of ours at whose end we wait. */
interface Waiting {
  readonly circuit: ClientCircuit;
  readonly cookie: Bytes;
  /** What RENDEZVOUS_JOINED will bring. */
  readonly joined: Promise<Bytes>;
}

/**
 * Reaches a service (rend-spec-v3 §3 and §4): finds its descriptor, waits at a relay, has one of the
 * introduction points tell the service where, and meets it there. One attempt to do so.
 */
export class ServiceApproach {
  readonly #surroundings: Surroundings;
  readonly #fingerprint: Bytes;
  readonly #ended: () => void;
  readonly #signal: AbortSignal;
  readonly #tried = new Set<string>();
  #descriptor: ServiceDescriptor | undefined;
  #waiting: Promise<Waiting> | undefined;

  /**
   * @param known a descriptor from before, if there is one.
   * @param ended told when the circuit, once it stands, is gone.
   */
  constructor(
    surroundings: Surroundings,
    fingerprint: Bytes,
    known: ServiceDescriptor | undefined,
    ended: () => void,
    signal: AbortSignal,
  ) {
    this.#surroundings = surroundings;
    this.#fingerprint = fingerprint;
    this.#descriptor = known;
    this.#ended = ended;
    this.#signal = signal;
  }

  /** The descriptor that was used last. */
  get descriptor(): ServiceDescriptor | undefined {
    return this.#descriptor;
  }

  /**
   * A circuit whose last hop is the service.
   *
   * @throws {StreamError} `resolve-failed` if nobody knows of the service, `unreachable` if it does not
   * come, `no-circuit`.
   * @throws {ConsensusError | DirectoryError} if it is not known which relays there are.
   */
  async run(): Promise<ClientCircuit> {
    let cause: unknown;
    try {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const point = await this.#nextPoint(cause);
        if (point === undefined) break;
        this.#tried.add(nameOf(point));
        try {
          return await this.#meetBy(point);
        } catch (error) {
          this.#signal.throwIfAborted();
          cause = error;
        }
      }
    } catch (error) {
      this.#giveUp();
      throw error;
    }
    this.#giveUp();
    throw new StreamError(
      "unreachable",
      "Cannot reach an onion service: it does not come to meet us",
      { cause },
    );
  }

  /** A point that was not tried yet, of another descriptor if there is none in this one. */
  async #nextPoint(cause: unknown): Promise<PointFields | undefined> {
    // What takes longest is begun first.
    this.#wait().catch(() => {/* whoever needs it sees it */});
    const before = this.#descriptor;
    const known = this.#untried(before);
    if (known.length > 0) return this.#oneOf(known);
    // Of two that were published in one second nobody can tell which is the later.
    const isWanted = (found: ServiceDescriptor) =>
      found.publishedAt >= (before?.publishedAt ?? 0) &&
      this.#untried(found).length > 0;
    try {
      this.#descriptor = await this.#find(isWanted);
    } catch (error) {
      // That a point of ours does not answer says more than that there is no newer descriptor.
      if (cause === undefined || !isUnknown(error)) throw error;
      // A service that has just lost its points is about to publish others.
      await pause(REPUBLISHED_WITHIN, this.#signal);
      this.#descriptor = await this.#find(isWanted).catch((error) => {
        if (!isUnknown(error)) throw error;
        return undefined;
      });
      if (this.#descriptor === undefined) return undefined;
    }
    return this.#oneOf(this.#untried(this.#descriptor));
  }

  #find(
    isWanted: (descriptor: ServiceDescriptor) => boolean,
  ): Promise<ServiceDescriptor> {
    return findDescriptor(
      this.#surroundings,
      this.#fingerprint,
      isWanted,
      this.#signal,
    );
  }

  #untried(descriptor: ServiceDescriptor | undefined): readonly PointFields[] {
    const points = descriptor?.points ?? [];
    return points.filter((each) => !this.#tried.has(nameOf(each)));
  }

  #oneOf(points: readonly PointFields[]): PointFields {
    return points[randomBelow(points.length, this.#surroundings.random)]!;
  }

  async #meetBy(point: PointFields): Promise<ClientCircuit> {
    const { circuits } = this.#surroundings;
    const guiding = circuits.circuitTo(point.relay, () => {}, this.#signal);
    guiding.catch(() => {});
    try {
      const waiting = await this.#wait();
      const { circuit, cookie } = waiting;
      const relay = circuit.last.fingerprint;
      const meeting = { relay, cookie, hops: circuit.length };
      const offer = await offerMeeting(meeting, point, this.#fingerprint);
      await this.#introduce(await guiding, point, offer);
      return await this.#join(waiting, offer);
    } finally {
      guiding.then((circuit) => circuit.destroy("requested"), () => {});
    }
  }

  async #introduce(
    circuit: ClientCircuit,
    { authKey }: PointFields,
    { message }: KeyOffer,
  ): Promise<void> {
    const request = encodeIntroduce({ authKey, message });
    const answer = circuit.ask(RELAY.INTRODUCE, request, RELAY.INTRODUCED);
    const status = parseIntroduced(
      await within(PATIENCE, circuit, answer, this.#signal),
    );
    if (status === "passed-on") return;
    throw new StreamError(
      "unreachable",
      `Cannot reach an onion service: the introduction point says ${status}`,
    );
  }

  async #join(
    { circuit, joined }: Waiting,
    offer: KeyOffer,
  ): Promise<ClientCircuit> {
    // Another attempt would be answered to another offer: it needs a cookie of its own.
    this.#waiting = undefined;
    try {
      const { patience = MEETING_PATIENCE } = this.#surroundings;
      const data = await within(patience, circuit, joined, this.#signal);
      circuit.join(await offer.finish(parseJoined(data)));
      if (circuit.failure !== undefined) throw circuit.failure;
      return circuit;
    } catch (error) {
      circuit.destroy("requested");
      throw error;
    }
  }

  /** A circuit to some relay, where we wait. */
  #wait(): Promise<Waiting> {
    if (this.#waiting !== undefined) return this.#waiting;
    const waiting = this.#establish();
    this.#waiting = waiting;
    waiting.then(({ joined }) => joined).catch(() => {
      // It has failed, or is gone, before anybody was told of it.
      if (this.#waiting === waiting) this.#waiting = undefined;
    });
    return waiting;
  }

  async #establish(): Promise<Waiting> {
    const { circuits } = this.#surroundings;
    const build = (hops?: number) =>
      circuits.circuitTo(undefined, this.#ended, this.#signal, hops);
    let circuit = await build();
    if (circuit.length === HOPS_LIMIT) {
      // The service itself is one more.
      circuit.destroy("requested");
      circuit = await build(HOPS_LIMIT - 1);
    }
    const cookie = randomBytes(COOKIE_BYTES);
    try {
      const { ESTABLISH_RENDEZVOUS, RENDEZVOUS_ESTABLISHED } = RELAY;
      const standing = circuit.ask(
        ESTABLISH_RENDEZVOUS,
        cookie,
        RENDEZVOUS_ESTABLISHED,
      );
      await within(PATIENCE, circuit, standing, this.#signal);
    } catch (error) {
      circuit.destroy("requested");
      throw error;
    }
    const joined = circuit.expect(RELAY.RENDEZVOUS_JOINED);
    joined.catch(() => {/* whoever waits for it sees it */});
    return { circuit, cookie, joined };
  }

  #giveUp(): void {
    this.#waiting?.then(
      ({ circuit }) => circuit.destroy("requested"),
      () => {},
    );
    this.#waiting = undefined;
  }
}

function nameOf({ authKey }: PointFields): string {
  return authKey.toHex();
}

function isUnknown(error: unknown): boolean {
  return error instanceof StreamError && error.reason === "resolve-failed";
}

/** Resolves after so many milliseconds. @throws the reason of `signal`, if it fires before. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const wake = () => resolve();
  signal.addEventListener("abort", wake, { once: true });
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", wake);
  signal.throwIfAborted();
}
