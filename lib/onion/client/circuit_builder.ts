import type { ConsensusRelay, RelayDescriptor } from "../../directory/mod.ts";
import type { Bytes, ByteStream, RandomSource } from "../../protocol/mod.ts";
import { isPublicAddress, parseIpAddress } from "../../net/mod.ts";
import { choosePath, isForbidden } from "../path/choose_path.ts";
import type { PathWish } from "../path/choose_path.ts";
import type { Guards } from "../path/guards.ts";
import type { Relays } from "../service/circuits.ts";
import { StreamError } from "../stream/stream_error.ts";
import { ClientCircuit } from "./client_circuit.ts";
import { CircuitError } from "./circuit_error.ts";
import { GuardLinks } from "./guard_links.ts";

/** What is wanted of a circuit, apart from what holds for all of them. */
export interface CircuitWish
  extends Omit<PathWish, "guards" | "hops" | "distinctNetworks"> {
  /** Another number of relays than usual. */
  readonly hops?: number | undefined;
}

/** How circuits are built. */
export interface CircuitRules {
  /** Relays in a circuit, 3 to 8. */
  readonly hops: number;
  /**
   * Whether no two relays of a circuit may be in one /16 (IPv6: /32). Where it is not said, they must not
   * unless all relays have private addresses: there networks tell nothing about who runs a relay.
   */
  readonly distinctNetworks?: boolean;
}

/** What circuits are built with. */
export interface BuilderOptions {
  /** Who the relays are. */
  readonly directory: Relays;
  /** The relays to begin with. */
  readonly guards: Guards;
  /** Keeps the guards, when they have changed. */
  readonly keepGuards: (guards: Guards) => Promise<void>;
  /** How. */
  readonly rules: CircuitRules;
  /** Connects to a guard. */
  readonly dial: (relay: RelayDescriptor) => Promise<ByteStream>;
  /** As `randomBytes`. */
  readonly random: RandomSource;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly time: () => number;
}

/** A circuit and the relays that it runs over, the guard first. */
export interface BuiltCircuit {
  readonly circuit: ClientCircuit;
  readonly path: readonly ConsensusRelay[];
  /** How long it took, in milliseconds. */
  readonly took: number;
}

/** Attempts for one circuit, each over other relays. */
const ATTEMPTS = 5;
/** A relay that has too much to do is left alone for so long at first, in milliseconds. */
const BUSY_PAUSE = 50;
/** Time for one attempt, in milliseconds. */
const PATIENCE = 15_000;

/** Builds circuits: chooses relays, and others when some do not answer. */
export class CircuitBuilder {
  readonly #options: BuilderOptions;
  readonly #links: GuardLinks;

  constructor(options: BuilderOptions) {
    this.#options = options;
    this.#links = new GuardLinks(options.dial, options.now);
  }

  /**
   * Builds a circuit.
   *
   * @param ended told when the circuit, once built, is gone.
   * @throws {StreamError} `no-circuit`, if no relays fit or none of the attempts succeeds; `exit-policy`, if
   * no exit connects to what is wished.
   * @throws {ConsensusError | DirectoryError} if it is not known which relays there are.
   */
  async build(
    wish: CircuitWish,
    ended: (error: CircuitError) => void,
    signal?: AbortSignal,
  ): Promise<BuiltCircuit> {
    const exclude: Bytes[] = [...wish.exclude ?? []];
    let cause: unknown;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      signal?.throwIfAborted();
      const path = await this.#choose({ ...wish, exclude });
      if (path === undefined) break;
      try {
        return await this.#attempt(path, ended, signal);
      } catch (error) {
        cause = error;
        const hop = error instanceof CircuitError ? error.hop : 1;
        const culprit = path[hop - 1]?.descriptor.identity.fingerprint;
        if (isBusy(error)) await pause(attempt);
        else if (hop === 1) this.#guardFailed(path[0]!);
        else if (culprit !== undefined) exclude.push(culprit);
      }
    }
    const { relays } = await this.#options.directory.consensus();
    if (cause === undefined && isForbidden(relays, wish)) {
      throw new StreamError("exit-policy", "Cannot connect: no exit does so");
    }
    throw new StreamError(
      "no-circuit",
      cause === undefined
        ? "Cannot build a circuit: no relays fit"
        : "Cannot build a circuit: the relays do not answer",
      { cause },
    );
  }

  /** Closes the links to all guards. */
  async close(): Promise<void> {
    await this.#links.close();
  }

  async #choose(
    wish: CircuitWish,
  ): Promise<readonly ConsensusRelay[] | undefined> {
    const { directory, guards, keepGuards, rules, random, time } =
      this.#options;
    const { relays } = await directory.consensus();
    const now = Math.floor(time() / 1_000);
    if (guards.update(relays, now, random)) await keepGuards(guards);
    const distinctNetworks = rules.distinctNetworks ?? relays.some(isPublic);
    return choosePath(relays, {
      ...wish,
      hops: wish.hops ?? rules.hops,
      distinctNetworks,
      guards: guards.usable(now),
    }, random);
  }

  async #attempt(
    path: readonly ConsensusRelay[],
    ended: (error: CircuitError) => void,
    signal?: AbortSignal,
  ): Promise<BuiltCircuit> {
    const { guards, now, time } = this.#options;
    const begun = now();
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    const either = signal === undefined
      ? patience.signal
      : AbortSignal.any([signal, patience.signal]);
    try {
      const relays = path.map(({ descriptor }) => descriptor);
      const link = await this.#links.to(relays[0]!);
      const targets = relays.map(({ identity, onionKey }) => ({
        fingerprint: identity.fingerprint,
        onionKey,
      }));
      const circuit = await ClientCircuit.build(link, targets, ended, either);
      guards.succeeded(targets[0]!.fingerprint, Math.floor(time() / 1_000));
      return { circuit, path, took: now() - begun };
    } finally {
      clearTimeout(timer);
    }
  }

  #guardFailed({ descriptor }: ConsensusRelay): void {
    const { guards, time } = this.#options;
    guards.failed(
      descriptor.identity.fingerprint,
      Math.floor(time() / 1_000),
    );
  }
}

/** Whether a relay has too much to do now: no reason to believe that it will be no good later. */
function isBusy(error: unknown): boolean {
  return error instanceof CircuitError &&
    (error.reason === "resource-limit" || error.reason === "too-many-circuits");
}

/** Waits longer from attempt to attempt, and each client for another time. */
async function pause(attempt: number): Promise<void> {
  const longest = BUSY_PAUSE * 2 ** attempt;
  const wait = longest * (0.5 + Math.random() / 2);
  await new Promise((resolve) => setTimeout(resolve, wait));
}

function isPublic({ descriptor }: ConsensusRelay): boolean {
  const address = parseIpAddress(descriptor.address.host);
  return address !== undefined && isPublicAddress(address);
}
