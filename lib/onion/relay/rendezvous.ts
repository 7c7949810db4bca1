import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { RELAY } from "../cell/message.ts";
import { parseCookie, parseRendezvous } from "../service/service_message.ts";
import type { RelayCircuit } from "./relay_circuit.ts";

const NOTHING: Bytes = new Uint8Array(0);

/**
 * Where clients and services meet (SPEC.md §12.8): the relay joins two circuits that know the same
 * cookie. It knows neither of the two, and what passes between them is sealed for their ends.
 */
export class RendezvousPoints {
  /** The circuits of clients, by cookie. */
  readonly #waiting = new Map<string, RelayCircuit>();
  readonly #cookies = new Map<RelayCircuit, string>();

  /** How many clients wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** ESTABLISH_RENDEZVOUS has come. @throws {MalformedError} also if the cookie is taken. */
  establish(client: RelayCircuit, data: Bytes): void {
    const cookie = parseCookie(data).toHex();
    if (this.#waiting.has(cookie)) {
      throw new MalformedError("Cannot wait for a service: twice for the same");
    }
    this.#waiting.set(cookie, client);
    this.#cookies.set(client, cookie);
    client.sendMessage(RELAY.RENDEZVOUS_ESTABLISHED, 0, NOTHING);
  }

  /**
   * RENDEZVOUS has come: the client is told, and the circuits are joined.
   *
   * @throws {MalformedError} also if the circuits do not fit together; then the client goes on waiting.
   */
  meet(service: RelayCircuit, data: Bytes): void {
    const { cookie, answer } = parseRendezvous(data);
    const client = this.#waiting.get(cookie.toHex());
    // It may have given up.
    if (client === undefined) return service.destroy("link-gone");
    service.joinTo(client);
    this.forget(client);
    client.sendMessage(RELAY.RENDEZVOUS_JOINED, 0, answer);
  }

  /** The circuit waits no longer. */
  forget(client: RelayCircuit): void {
    const cookie = this.#cookies.get(client);
    if (cookie === undefined) return;
    this.#cookies.delete(client);
    this.#waiting.delete(cookie);
  }
}
