import { TokenBuckets } from "../../net/mod.ts";
import type { BucketRate, Incoming } from "../../net/mod.ts";
import { RELAY } from "../cell/message.ts";
import type { KeyAcceptance } from "../circuit/key_agreement.ts";
import type { ClientCircuit } from "../client/client_circuit.ts";
import { QueueMemory } from "../link/queue_memory.ts";
import type { Surroundings } from "./circuits.ts";
import type { Meeting } from "./introduction_handshake.ts";
import { encodeRendezvous } from "./service_message.ts";
import { ServiceStreams } from "./service_streams.ts";

/** Circuits to clients at once. */
const MEETINGS_LIMIT = 1_024;
/** Streams of clients at once. */
const STREAMS_LIMIT = 8_192;
/** Bytes that may wait to be read on all of them: 64 MiB; then the circuit goes whose data wait longest. */
const MEMORY_LIMIT = 67_108_864;
/** New clients: each costs a circuit. */
const RATE: BucketRate = { perSecond: 20, burst: 200 };
/** A circuit without streams goes after this, in milliseconds (15 minutes, longer than clients keep it). */
const IDLE = 900_000;
/** One on which there never was any goes sooner, in milliseconds. */
const IDLE_AT_FIRST = 30_000;

/** How clients are served. */
export interface MeetingOptions extends Pick<Surroundings, "circuits" | "now"> {
  /** Serves a stream until it ends; the group of all of them is `onion`. */
  readonly accept: (incoming: Incoming) => Promise<void>;
  /** Told of what went wrong with one client. */
  readonly failed: (error: unknown) => void;
  /** Other than 20 new clients a second, after the first 200. */
  readonly rate?: BucketRate;
  /** Other than 1,024 circuits to clients at once. */
  readonly meetings?: number;
  /** Other than 64 MiB of what has come and was not read. */
  readonly memory?: number;
}

interface MeetingCircuit {
  readonly circuit: ClientCircuit;
  /** When it was last seen with a stream, or was made. */
  usedAt: number;
  /** Whether there ever was a stream. */
  wasUsed: boolean;
}

/** The circuits on which a service has met clients, and their streams. */
export class ServiceMeetings {
  readonly #options: MeetingOptions;
  readonly #rate: TokenBuckets;
  readonly #memory: QueueMemory;
  readonly #meetings = new Map<number, MeetingCircuit>();
  readonly #streams = new Map<Incoming, Promise<void>>();
  /** Clients that the service is on its way to. */
  readonly #underWay = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #lastId = 0;

  constructor(options: MeetingOptions) {
    this.#options = options;
    this.#rate = new TokenBuckets(options.rate ?? RATE);
    this.#memory = new QueueMemory(options.memory ?? MEMORY_LIMIT);
  }

  /** How many circuits there are. */
  get size(): number {
    return this.#meetings.size;
  }

  /** Whether another client can be taken on now. */
  admit(): boolean {
    if (this.#closing.signal.aborted) return false;
    if (this.#rate.take("", this.#options.now()) > 0) return false;
    const { meetings: limit = MEETINGS_LIMIT } = this.#options;
    const meetings = this.#meetings.size + this.#underWay.size;
    // Whoever only comes to be there does not keep others out.
    return meetings < limit || this.#makeRoom();
  }

  /** Goes where a client waits (rend-spec-v3 §4.2). */
  meet(meeting: Meeting, acceptance: KeyAcceptance): void {
    const work = this.#meet(meeting, acceptance).catch((error) => {
      if (!this.#closing.signal.aborted) this.#options.failed(error);
    }).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  /** Ends circuits on which nothing happens. */
  retire(): void {
    const now = this.#options.now();
    for (const meeting of [...this.#meetings.values()]) {
      const { circuit, usedAt, wasUsed } = meeting;
      const idle = wasUsed ? IDLE : IDLE_AT_FIRST;
      if (circuit.streams.size > 0) meeting.usedAt = now;
      else if (now - usedAt > idle) circuit.destroy("requested");
    }
  }

  /** Takes no more clients; those who are there go on. */
  stop(): void {
    this.#closing.abort();
  }

  /** Ends every stream and every circuit, and resolves when all of them are done. */
  async close(): Promise<void> {
    this.stop();
    await Promise.all(this.#underWay);
    for (const incoming of this.#streams.keys()) incoming.close();
    for (const { circuit } of [...this.#meetings.values()]) {
      circuit.destroy("requested");
    }
    await Promise.all(this.#streams.values());
  }

  async #meet(
    { relay, cookie, hops }: Meeting,
    acceptance: KeyAcceptance,
  ): Promise<void> {
    const { signal } = this.#closing;
    const { circuits, now } = this.#options;
    const id = ++this.#lastId;
    let leave = () => {};
    const ended = () => {
      this.#meetings.delete(id);
      leave();
    };
    const circuit = await circuits.circuitTo(relay, ended, signal, hops);
    if (signal.aborted || circuit.length !== hops) {
      // Of another length, the layers of one would not fit into the other's.
      return circuit.destroy("requested");
    }
    const { answer, keys } = await acceptance.finish();
    if (circuit.failure !== undefined) throw circuit.failure;
    circuit.send(RELAY.RENDEZVOUS, encodeRendezvous(cookie, answer));
    const { forward, backward, binding } = keys;
    const entry = { circuit, usedAt: now(), wasUsed: false };
    const streams = new ServiceStreams(circuit, (incoming) => {
      entry.wasUsed = true;
      return this.#accept(incoming);
    });
    const mirrored = { forward: backward, backward: forward, binding };
    const change = (bytes: number) => this.#memory.change(bytes);
    circuit.join(mirrored, streams, { change, now });
    leave = this.#memory.enter({
      oldest: () => circuit.streams.oldest,
      relieve: () => circuit.destroy("resource-limit"),
    });
    this.#meetings.set(id, entry);
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

  /** Ends the circuit that has been without streams for longest; false if all of them have some. */
  #makeRoom(): boolean {
    const idle = [...this.#meetings.values()]
      .filter(({ circuit }) => circuit.streams.size === 0)
      .toSorted((a, b) => a.usedAt - b.usedAt)[0];
    idle?.circuit.destroy("requested");
    return idle !== undefined;
  }
}
