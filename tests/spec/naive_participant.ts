/**
 * Somebody who takes part in rounds of a real server with nothing but what SPEC.md §13.10 says.
 *
 * @module
 */
import { NaiveConnection, need } from "./naive_connection.ts";
import {
  circuitLayer,
  clientLayer,
  openMixReply,
  readSettings,
  wrapMixOnion,
} from "./naive_mix.ts";
import type { NaiveMixLayer, NaiveRound, NaiveSettings } from "./naive_mix.ts";
import { join, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import type { NaiveMessage } from "./naive_risp.ts";

/** A client that has joined. */
export class NaiveParticipant {
  readonly connection: NaiveConnection;
  readonly #keyOf: (fingerprint: Octets) => Octets | undefined;
  /** Settings that were announced, the oldest first. */
  readonly settings: NaiveSettings[] = [];
  /** What the clock was when it joined. */
  readonly clock: number;
  /** Layers of what was handed in last, by slot. */
  #layers: readonly (readonly NaiveMixLayer[])[] = [];
  #circuits: readonly (readonly NaiveMixLayer[])[] = [];

  private constructor(
    connection: NaiveConnection,
    keyOf: (fingerprint: Octets) => Octets | undefined,
    clock: number,
  ) {
    this.connection = connection;
    this.#keyOf = keyOf;
    this.clock = clock;
  }

  /** Joins at the server with the agreement key `s`. */
  static async join(
    socket: Deno.TcpConn,
    s: Octets,
    keyOf: (fingerprint: Octets) => Octets | undefined,
  ): Promise<NaiveParticipant> {
    const connection = new NaiveConnection(socket);
    await connection.shake(s);
    await connection.send(["JOIN"]);
    const joined = (await connection.next())!;
    if (joined.verb !== "JOINED") throw new Error(joined.verb);
    const clock = Number(need<bigint>(joined, "CLOCK"));
    return new NaiveParticipant(connection, keyOf, clock);
  }

  /** The next message that announces nothing; what announces is taken in. */
  async next(): Promise<NaiveMessage> {
    for (;;) {
      const message = await this.connection.next();
      if (message === undefined) throw new Error("closed");
      if (message.verb !== "ANNOUNCE") return message;
      const document = need<Octets>(message, "SETTINGS");
      this.settings.push(readSettings(document, this.#keyOf));
    }
  }

  /** The newest settings of that kind; they are waited for. */
  async announced(kind: number): Promise<NaiveSettings> {
    for (;;) {
      const found = this.settings.findLast((each) => each.kind === kind);
      if (found !== undefined) return found;
      const message = await this.connection.next();
      if (message?.verb !== "ANNOUNCE") throw new Error(`${message?.verb}`);
      const document = need<Octets>(message, "SETTINGS");
      this.settings.push(readSettings(document, this.#keyOf));
    }
  }

  /** The coordinator's clock; what was sent before has been taken by then. */
  async probe(): Promise<number> {
    await this.connection.send(["PROBE"]);
    const probed = await this.next();
    if (probed.verb !== "PROBED") throw new Error(probed.verb);
    return Number(need<bigint>(probed, "CLOCK"));
  }

  /** Hands in payloads, one for each slot, for a round of a run; empty ones if it sets up circuits. */
  async submit(
    { kind, mode, first, period, mixes }: NaiveSettings,
    index: number,
    payloads: readonly Octets[],
  ): Promise<NaiveRound> {
    const round = { kind, start: first + index * period };
    if (mode === 0 || index === 0) {
      this.#layers = payloads.map(() =>
        mixes.map(({ keys }) =>
          clientLayer(keys[mode === 0 ? index : 0]!, round)
        )
      );
      this.#circuits = this.#layers.map((layers) => layers.map(circuitLayer));
    } else this.#layers = this.#circuits;
    const at = mode === 0 ? 0 : index;
    const onions = payloads.map((payload, slot) =>
      wrapMixOnion(payload, this.#layers[slot]!, at)
    );
    await this.send(round, join(...onions));
    return round;
  }

  /** SUBMIT-ONIONS with any bytes. */
  async send({ kind, start }: NaiveRound, onions: Octets): Promise<void> {
    await this.connection.send([
      ["ROUND-KIND", kind],
      ["ROUND-START", BigInt(start)],
      ["ONIONS", onions],
      "SUBMIT-ONIONS",
    ]);
  }

  /** What came back of the round that was submitted last; `undefined` of a round without replies. */
  async done(
    round: NaiveRound,
    index = 0,
  ): Promise<Octets[] | undefined> {
    const message = await this.next();
    if (message.verb !== "ROUND-DONE") throw new Error(message.verb);
    if (nameOf(message) !== `${round.kind} ${round.start}`) {
      throw new Error("another round");
    }
    const replies = message.values.get("REPLIES")?.[0] as Octets | undefined;
    if (replies === undefined) return undefined;
    const size = replies.length / this.#layers.length;
    return this.#layers.map((layers, slot) =>
      openMixReply(replies.slice(size * slot, size * (slot + 1)), layers, index)
    );
  }

  /** The filter of a bucket, of the first dialing round that started after `start`. */
  async filter(
    bucket: number,
    start: number,
  ): Promise<{ start: number; filter: Octets } | undefined> {
    await this.connection.send([
      ["BUCKET", bucket],
      ["ROUND-START", BigInt(start)],
      "FETCH-FILTER",
    ]);
    const fetched = await this.next();
    if (fetched.verb !== "FETCHED-FILTER") throw new Error(fetched.verb);
    if (!fetched.values.has("ROUND-START")) return undefined;
    return {
      start: Number(need<bigint>(fetched, "ROUND-START")),
      filter: need<Octets>(fetched, "FILTER"),
    };
  }
}

/** Which round a message is about. */
export function nameOf(message: NaiveMessage): string {
  const kind = need<number>(message, "ROUND-KIND");
  return `${kind} ${need<bigint>(message, "ROUND-START")}`;
}

/** Payload of a dialing round. */
export function dialPayload(bucket: number, token: Octets): Octets {
  return join(unsigned(4, bucket), token);
}
