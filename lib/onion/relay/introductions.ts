import { TokenBuckets } from "../../net/mod.ts";
import type { BucketRate } from "../../net/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { RELAY } from "../cell/message.ts";
import {
  encodeIntroduced,
  parseIntroduce,
  readEstablishIntro,
} from "../service/service_message.ts";
import type { IntroductionStatus } from "../service/service_message.ts";
import type { RelayCircuit } from "./relay_circuit.ts";

/** Clients that are passed on to one service by one relay, as Tor's introduction points have it. */
const RATE: BucketRate = { perSecond: 25, burst: 200 };
const NOTHING: Bytes = new Uint8Array(0);

/**
 * The services for which a relay is an introduction point (SPEC.md §12.8). It knows each by a key that
 * was made for this relay only, and so neither who it is nor where.
 */
export class Introductions {
  readonly #now: () => number;
  readonly #rates: TokenBuckets;
  /** The circuits of services, by authentication key. */
  readonly #points = new Map<string, RelayCircuit>();
  readonly #keys = new Map<RelayCircuit, string>();

  /** `now` is milliseconds of a steady clock. */
  constructor(now: () => number, rate: BucketRate = RATE) {
    this.#now = now;
    this.#rates = new TokenBuckets(rate);
  }

  /** For how many services. */
  get size(): number {
    return this.#points.size;
  }

  /**
   * ESTABLISH_INTRO has come: from now on the circuit takes introductions.
   *
   * @throws {MalformedError} if it was not signed for this circuit.
   */
  async establish(circuit: RelayCircuit, data: Bytes): Promise<void> {
    const key = (await readEstablishIntro(data, circuit.binding)).toHex();
    if (!circuit.isEnd) return;
    // Only the service can sign for its key: it has lost the older circuit, if we have not.
    const older = this.#points.get(key);
    this.#points.set(key, circuit);
    this.#keys.set(circuit, key);
    older?.destroy("requested");
    circuit.sendMessage(RELAY.INTRO_ESTABLISHED, 0, NOTHING);
  }

  /** INTRODUCE has come: it is passed on, and the client is told. @throws {MalformedError} */
  introduce(client: RelayCircuit, data: Bytes): void {
    const status = this.#passOn(data);
    client.sendMessage(RELAY.INTRODUCED, 0, encodeIntroduced(status));
  }

  /** The circuit is gone. */
  forget(circuit: RelayCircuit): void {
    const key = this.#keys.get(circuit);
    if (key === undefined) return;
    this.#keys.delete(circuit);
    if (this.#points.get(key) === circuit) this.#points.delete(key);
  }

  #passOn(data: Bytes): IntroductionStatus {
    const key = parseIntroduce(data).authKey.toHex();
    const service = this.#points.get(key);
    if (service === undefined) return "unknown";
    if (this.#rates.take(key, this.#now()) > 0) return "busy";
    service.sendMessage(RELAY.INTRODUCE, 0, data);
    return "passed-on";
  }
}
