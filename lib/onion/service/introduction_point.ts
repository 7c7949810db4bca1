import type { Bytes, DhKeyPair } from "../../protocol/mod.ts";
import { generateDh, generateSigning } from "../../protocol/mod.ts";
import { RELAY } from "../cell/message.ts";
import type { KeyAcceptance } from "../circuit/key_agreement.ts";
import type { ClientCircuit } from "../client/client_circuit.ts";
import type { Circuits } from "./circuits.ts";
import type { Meeting } from "./introduction_handshake.ts";
import { readMeeting } from "./introduction_handshake.ts";
import type { PointFields } from "./service_descriptor.ts";
import { encodeEstablishIntro, parseIntroduce } from "./service_message.ts";
import { within } from "./within.ts";

/** Time for the relay to answer, in milliseconds. */
const PATIENCE = 10_000;
/** Introductions that one point takes: all of them are remembered as long as its key is good. */
export const INTRODUCTIONS_LIMIT = 16_384;

/** What becomes of what comes by way of a point. */
export interface PointOwner {
  /** Of the service, 32 bytes. */
  readonly fingerprint: Bytes;
  /** Whether another client can be taken on now; asked before anything is computed. */
  admit(): boolean;
  /** A client waits. */
  introduced(meeting: Meeting, acceptance: KeyAcceptance): void;
  /** The point is gone, or is to be replaced. */
  ended(point: IntroductionPoint): void;
}

/**
 * A relay that passes clients on to this service (rend-spec-v3 §3.1): a circuit that ends there, and keys
 * that were made for it alone.
 */
export class IntroductionPoint {
  readonly fields: PointFields;
  readonly #owner: PointOwner;
  readonly #sealPair: DhKeyPair;
  readonly #limit: number;
  /** The first keys of clients: none is taken twice. */
  readonly #seen = new Set<string>();
  #circuit: ClientCircuit | undefined;
  #ended = false;

  private constructor(
    owner: PointOwner,
    fields: PointFields,
    sealPair: DhKeyPair,
    limit: number,
  ) {
    this.#owner = owner;
    this.fields = fields;
    this.#sealPair = sealPair;
    this.#limit = limit;
  }

  /**
   * Makes a relay an introduction point.
   *
   * @param relay its fingerprint, 32 bytes.
   * @throws {StreamError | CircuitError} if it does not come to be.
   */
  static async establish(
    circuits: Circuits,
    relay: Bytes,
    owner: PointOwner,
    signal: AbortSignal,
    limit: number = INTRODUCTIONS_LIMIT,
  ): Promise<IntroductionPoint> {
    const [authPair, sealPair] = await Promise.all([
      generateSigning(),
      generateDh(),
    ]);
    const fields = {
      relay,
      authKey: authPair.publicKey,
      sealKey: sealPair.publicKey,
    };
    const point = new IntroductionPoint(owner, fields, sealPair, limit);
    const circuit = await circuits.circuitTo(
      relay,
      () => point.#end(),
      signal,
    );
    point.#circuit = circuit;
    try {
      circuit.listen(({ command, data }) => {
        if (command !== RELAY.INTRODUCE) return false;
        point.#introduced(data);
        return true;
      });
      const request = await encodeEstablishIntro(authPair, circuit.binding);
      const { ESTABLISH_INTRO, INTRO_ESTABLISHED } = RELAY;
      const standing = circuit.ask(ESTABLISH_INTRO, request, INTRO_ESTABLISHED);
      await within(PATIENCE, circuit, standing, signal);
      return point;
    } catch (error) {
      point.close();
      throw error;
    }
  }

  /** Whether it takes clients no longer. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Gives it up. */
  close(): void {
    this.#circuit?.destroy("requested");
    this.#ended = true;
  }

  #introduced(data: Bytes): void {
    const { message } = parseIntroduce(data);
    if (this.#ended || !this.#owner.admit()) return;
    this.#read(message).catch(() => {
      // Made for another key, or by somebody who only tries.
    });
  }

  async #read(message: Bytes): Promise<void> {
    const { meeting, acceptance } = await readMeeting(
      message,
      this.#sealPair,
      this.fields.authKey,
      this.#owner.fingerprint,
    );
    // It begins with the client's first key; altered, it would not have opened.
    const name = message.subarray(0, 32).toHex();
    if (this.#ended || this.#seen.has(name)) return;
    this.#seen.add(name);
    this.#owner.introduced(meeting, acceptance);
    if (this.#seen.size >= this.#limit) this.close();
  }

  #end(): void {
    this.#ended = true;
    this.#owner.ended(this);
  }
}
