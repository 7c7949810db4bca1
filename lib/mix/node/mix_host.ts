import { checkProof } from "../../directory/mod.ts";
import type { NodeKeyring } from "../../identity/mod.ts";
import type { Incoming } from "../../net/mod.ts";
import { TokenBuckets } from "../../net/mod.ts";
import type {
  Bytes,
  Channel,
  CommandTable,
  Message,
  RandomSource,
} from "../../protocol/mod.ts";
import { CommandChannel, CommandWriter } from "../../protocol/mod.ts";
import {
  CLOCK,
  COORDINATOR,
  MIX,
  MIX_PROOF,
  MIX_REFUSED,
  MIXING,
  MIXING_ROUNDS,
} from "../commands.ts";
import type { LayerEngine } from "../layer/mod.ts";
import type { MixTimers } from "../mix_timers.ts";
import type { NoiseLevel } from "../noise/noise_level.ts";
import type { RoundKind } from "../round.ts";
import type { MixLimits } from "./mix_limits.ts";
import { MixNode } from "./mix_node.ts";
import type { MixNodeStatus } from "./mix_node.ts";
import { MixSession } from "./mix_session.ts";
import { MIX_DECODER_LIMITS, MIX_VOCABULARY } from "./mix_wire.ts";

/** What a mix behind a port is made of. */
export interface MixHostOptions {
  /** Its own keys. */
  readonly keyring: NodeKeyring;
  /** Fingerprints (32 bytes each) of those who may coordinate rounds, or everybody. */
  readonly coordinators: readonly Bytes[] | "any";
  /** The noise that it offers for rounds of a kind. */
  readonly noise: (kind: RoundKind) => NoiseLevel;
  /** As of `MixNode`; shared by the coordinators. */
  readonly engines?: readonly LayerEngine[] | undefined;
  /** How many coordinators it works for at once; 4, unless told otherwise. */
  readonly places?: number | undefined;
  /** How much it takes on for each of them. */
  readonly limits?: MixLimits | undefined;
  /** The time. */
  readonly timers: MixTimers;
  /** As of `MixNode`. */
  readonly random?: RandomSource | undefined;
}

/** A coordinator that was here, and whether it is. */
interface Place {
  readonly node: MixNode;
  session:
    | { readonly end: () => void; readonly done: Promise<void> }
    | undefined;
}

const PLACES = 4;
/**
 * How many runs a coordinator may have prepared: a question of some bytes costs up to 512 keys. The shortest
 * rounds that `sotto` runs take less than half of this pace.
 */
const RUNS = { perSecond: 1, burst: 120 };

/**
 * A mix behind a port that it shares with other services (the structure of `LinkGuests`): whose first
 * command is MIX, with a proof of who it is, coordinates rounds. What is held belongs to the coordinator
 * and not to the connection: one that comes back takes its own place, so that nobody holds two.
 */
export class MixHost {
  /** What is said there. */
  readonly table: CommandTable = MIXING_ROUNDS;
  /** What a connection begins with. */
  readonly opens: ReadonlySet<string> = new Set([MIX.name]);
  readonly #options: MixHostOptions;
  readonly #allowed: ReadonlySet<string> | undefined;
  readonly #places = new Map<string, Place>();
  /** By coordinators, who get no new ones by connecting anew. */
  readonly #runs = new TokenBuckets(RUNS);
  #isStopped = false;

  /** Nobody is here yet. */
  constructor(options: MixHostOptions) {
    this.#options = options;
    const { coordinators } = options;
    if (coordinators !== "any") {
      this.#allowed = new Set(coordinators.map((each) => each.toHex()));
    }
  }

  /** How many coordinators are connected. */
  get coordinators(): number {
    return [...this.#places.values()]
      .filter(({ session }) => session !== undefined).length;
  }

  /** What is held for all coordinators. */
  get status(): MixNodeStatus {
    const total = {
      prepared: 0,
      runs: 0,
      rounds: 0,
      keys: 0,
      circuits: 0,
      noise: 0,
    };
    for (const { node: { status } } of this.#places.values()) {
      total.prepared += status.prepared;
      total.runs += status.runs;
      total.rounds += status.rounds;
      total.keys += status.keys;
      total.circuits += status.circuits;
      total.noise += status.noise;
    }
    return total;
  }

  /**
   * Serves a connection that has begun with MIX, until it ends. Who may not coordinate, or comes when all
   * places are taken, gets MIX-REFUSED.
   *
   * @throws {ChannelError | MalformedError} if the other side broke a rule or was cut off.
   */
  async welcome(
    channel: Channel,
    first: Message,
    incoming: Pick<Incoming, "deadline">,
  ): Promise<void> {
    const { fingerprint } = await checkProof(
      first.need(COORDINATOR),
      first.need(MIX_PROOF),
      channel.hash,
    );
    const link = new CommandChannel(
      channel,
      MIX_VOCABULARY,
      MIX_DECODER_LIMITS,
    );
    const name = fingerprint.toHex();
    let before = this.#places.get(name)?.session;
    while (before !== undefined) {
      before.end();
      await before.done;
      before = this.#places.get(name)?.session;
    }
    // Until the session is there nothing is waited for, or two that come at once would share the place.
    const place = this.#placeFor(name, fingerprint);
    if (place === undefined) {
      return await link.send(new CommandWriter().verb(MIX_REFUSED).done());
    }
    const session = new MixSession({
      link,
      node: place.node,
      incoming,
      timers: this.#options.timers,
      mayPrepare: () => this.#runs.take(name, this.#options.timers.now()) === 0,
    });
    const { promise: done, resolve } = Promise.withResolvers<void>();
    place.session = { end: () => session.end(), done };
    try {
      const clock = BigInt(this.#options.timers.now());
      await link.send(
        new CommandWriter().set(CLOCK, clock).verb(MIXING).done(),
      );
      await session.serve();
    } finally {
      place.session = undefined;
      resolve();
    }
  }

  /** Drops every coordinator and erases everything; from now on all are refused. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const { node, session } of this.#places.values()) {
      session?.end();
      await Promise.all([node.stop(), session?.done]);
    }
    this.#places.clear();
  }

  /** The place of a coordinator that has no other connection. */
  #placeFor(name: string, fingerprint: Bytes): Place | undefined {
    if (this.#isStopped || this.#allowed?.has(name) === false) return undefined;
    const place = this.#places.get(name);
    if (place !== undefined) return place;
    if (!this.#makeRoom()) return undefined;
    const node = new MixNode({ ...this.#options, coordinator: fingerprint });
    const made = { node, session: undefined };
    this.#places.set(name, made);
    return made;
  }

  /** Whether there is a place: that of one who is gone is free if need be. */
  #makeRoom(): boolean {
    if (this.#places.size < (this.#options.places ?? PLACES)) return true;
    const gone = [...this.#places].find(([, { session }]) =>
      session === undefined
    );
    if (gone === undefined) return false;
    void gone[1].node.stop();
    return this.#places.delete(gone[0]);
  }
}
