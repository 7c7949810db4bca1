/**
 * A coordinator's connection to one real mix, written from SPEC.md §13.9.
 *
 * @module
 */
import { NaiveConnection, need } from "./naive_connection.ts";
import type { Command } from "./naive_connection.ts";
import type { NaiveMix, NaiveRound, NaiveSettings } from "./naive_mix.ts";
import { ascii, join, sign } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import type { NaiveMessage } from "./naive_risp.ts";

/** Who coordinates. */
export interface NaiveNode {
  readonly certificate: Octets;
  /** Ed25519 seed. */
  readonly seed: Octets;
}

/** A mix that mixes for us. */
export class NaiveMixLink {
  readonly connection: NaiveConnection;
  /** Its clock when the connection was made. */
  readonly clock: number;

  private constructor(connection: NaiveConnection, clock: number) {
    this.connection = connection;
    this.clock = clock;
  }

  /** Connects to the mix with the agreement key `s`. */
  static async open(
    socket: Deno.TcpConn,
    s: Octets,
    { certificate, seed }: NaiveNode,
  ): Promise<NaiveMixLink> {
    const connection = new NaiveConnection(socket);
    await connection.shake(s);
    const signed = join(ascii("sotto channel proof v1\0"), connection.hash);
    await connection.send([
      ["COORDINATOR", certificate],
      ["MIX-PROOF", sign(seed, signed)],
      "MIX",
    ]);
    const answer = await connection.next().catch(() => undefined);
    if (answer?.verb !== "MIXING") {
      connection.drop();
      throw new Error(`${answer?.verb}`);
    }
    const clock = Number(need<bigint>(answer, "CLOCK"));
    return new NaiveMixLink(connection, clock);
  }

  /** What the mix offers for a run. */
  async prepare(
    settings: Omit<NaiveSettings, "mixes">,
    fingerprint: Octets,
  ): Promise<NaiveMix> {
    const { kind, mode, first, count, period } = settings;
    await this.connection.send([
      ...about({ kind, start: first }),
      ["RUN-MODE", mode],
      ["RUN-COUNT", count],
      ["PERIOD", period],
      "PREPARE-RUN",
    ]);
    const answer = await this.#answer("RUN-PREPARED", { kind, start: first });
    const keys = need<Octets>(answer, "ONION-KEYS");
    return {
      fingerprint,
      mean: need<number>(answer, "NOISE-MEAN"),
      scale: need<number>(answer, "NOISE-SCALE"),
      keys: Array.from(
        { length: keys.length / 32 },
        (_, i) => keys.slice(32 * i, 32 * (i + 1)),
      ),
    };
  }

  /** The mix's signature over the body of settings. */
  async sign(body: Octets, run: NaiveRound): Promise<Octets> {
    await this.connection.send([["SETTINGS", body], "SIGN-SETTINGS"]);
    const answer = await this.#answer("SETTINGS-SIGNED", run);
    return need<Octets>(answer, "SETTINGS-SIGNATURE");
  }

  /** Adds onions of that size. */
  async add(round: NaiveRound, onions: Octets, size: number): Promise<void> {
    for (const part of parts(onions, size)) {
      await this.connection.send([
        ...about(round),
        ["BATCH-LENGTH", part.length],
        "ADD-ONIONS",
      ]);
      await this.connection.sendBody(part);
    }
  }

  /** No more onions come; what is next. */
  async close(round: NaiveRound): Promise<Octets> {
    await this.tell("CLOSE-ROUND", round);
    return await this.#batch(round);
  }

  /** The replies of the next mix, of that size; those to what was added. */
  async answer(
    round: NaiveRound,
    replies: Octets,
    size: number,
  ): Promise<Octets> {
    for (const part of parts(replies, size)) {
      await this.connection.send([
        ...about(round),
        ["TOTAL-LENGTH", replies.length],
        ["BATCH-LENGTH", part.length],
        "GIVE-REPLIES",
      ]);
      await this.connection.sendBody(part);
    }
    return await this.#batch(round);
  }

  /** Says something about a round. */
  async tell(verb: string, round: NaiveRound): Promise<void> {
    await this.connection.send([...about(round), verb]);
  }

  async #batch(round: NaiveRound): Promise<Octets> {
    let batch: Octets = new Uint8Array(0);
    for (;;) {
      const part = await this.#answer("BATCH-PART", round);
      const length = need<number>(part, "BATCH-LENGTH");
      if (length > 65_536) throw new Error("a part that is too long");
      batch = join(batch, await this.connection.body(length));
      const total = need<number>(part, "TOTAL-LENGTH");
      if (batch.length > total) throw new Error("a batch that is too long");
      if (batch.length === total) return batch;
    }
  }

  async #answer(verb: string, round: NaiveRound): Promise<NaiveMessage> {
    const answer = await this.connection.next();
    if (answer?.verb !== verb) throw new Error(`${answer?.verb}`);
    if (
      need<number>(answer, "ROUND-KIND") !== round.kind ||
      Number(need<bigint>(answer, "ROUND-START")) !== round.start
    ) throw new Error("another round");
    return answer;
  }
}

function about({ kind, start }: NaiveRound): Command[] {
  return [["ROUND-KIND", kind], ["ROUND-START", BigInt(start)]];
}

/** Cut into as many whole ones as fit into a body, but at least in two. */
function parts(batch: Octets, size: number): Octets[] {
  const count = batch.length / size;
  const step = size * Math.min(Math.floor(65_536 / size), Math.ceil(count / 2));
  return Array.from(
    { length: Math.ceil(batch.length / step) },
    (_, i) => batch.slice(i * step, (i + 1) * step),
  );
}
