import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { RELAY } from "../cell/message.ts";
import type { RelayMessage } from "../cell/message.ts";
import { parseFetch, parsePublish } from "../service/service_message.ts";
import type { DescriptorStore } from "./descriptor_store.ts";
import type { Introductions } from "./introductions.ts";
import type { CircuitService, RelayCircuit } from "./relay_circuit.ts";
import type { RendezvousPoints } from "./rendezvous.ts";

/** What one circuit may ask about services; whoever wants more makes another. */
const REQUESTS_LIMIT = 16;
const NOTHING: Bytes = new Uint8Array(0);

/** What a relay does for onion services, on all circuits. */
export interface Meetings {
  readonly introductions: Introductions;
  readonly rendezvous: RendezvousPoints;
  readonly descriptors: DescriptorStore;
}

/**
 * A relay's end of a circuit: streams to the world, and what onion services and their clients need of a
 * relay. A circuit that a service or a client waits on carries nothing else.
 */
export class RelayServices implements CircuitService {
  readonly #circuit: RelayCircuit;
  readonly #meetings: Meetings;
  readonly #streams: CircuitService;
  /** Whether it is a circuit of a service or of a client that waits, or was joined. */
  #taken = false;
  #requests = 0;

  /** `streams` takes what is said about streams. */
  constructor(
    circuit: RelayCircuit,
    meetings: Meetings,
    streams: CircuitService,
  ) {
    this.#circuit = circuit;
    this.#meetings = meetings;
    this.#streams = streams;
  }

  handle(message: RelayMessage, units: number, sealed: Bytes): void {
    const { command, stream, data } = message;
    if (command === RELAY.DROP) return;
    if (this.#taken) {
      throw new MalformedError("Cannot take a message: the circuit is taken");
    }
    const { introductions, rendezvous } = this.#meetings;
    switch (command) {
      case RELAY.ESTABLISH_INTRO:
        this.#take(stream);
        introductions.establish(this.#circuit, data).catch(() =>
          this.#circuit.destroy("protocol")
        );
        return;
      case RELAY.ESTABLISH_RENDEZVOUS:
        this.#take(stream);
        return rendezvous.establish(this.#circuit, data);
      case RELAY.RENDEZVOUS:
        this.#take(stream);
        return rendezvous.meet(this.#circuit, data);
      case RELAY.INTRODUCE:
        this.#request(stream);
        return introductions.introduce(this.#circuit, data);
      case RELAY.PUBLISH:
        this.#request(stream);
        return this.#publish(data);
      case RELAY.FETCH:
        this.#request(stream);
        return this.#fetch(data);
      default:
        return this.#streams.handle(message, units, sealed);
    }
  }

  lost(): void {
    this.#meetings.introductions.forget(this.#circuit);
    this.#meetings.rendezvous.forget(this.#circuit);
    this.#streams.lost();
  }

  #publish(data: Bytes): void {
    const { index, blob } = parsePublish(data);
    this.#meetings.descriptors.put(index, blob);
    this.#circuit.sendMessage(RELAY.PUBLISHED, 0, NOTHING);
  }

  #fetch(data: Bytes): void {
    const { index, place } = parseFetch(data);
    const blob = this.#meetings.descriptors.get(index, place);
    this.#circuit.sendMessage(RELAY.FETCHED, 0, blob ?? NOTHING);
  }

  #take(stream: number): void {
    this.#request(stream);
    if (!this.#circuit.isEnd) {
      throw new MalformedError("Cannot take a circuit: it does not end here");
    }
    this.#taken = true;
  }

  #request(stream: number): void {
    if (stream !== 0 || ++this.#requests > REQUESTS_LIMIT) {
      throw new MalformedError("Cannot answer a request: not on this circuit");
    }
  }
}
