import type { ServerAddress } from "../identity/mod.ts";
import { Backoff } from "../net/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import type { Consensus } from "./consensus.ts";
import { checkTimes, parseConsensus } from "./consensus.ts";
import type { ConsensusRelay } from "./consensus_body.ts";
import { ConsensusError } from "./consensus_error.ts";
import type { ConsensusTimes } from "./consensus_header.ts";
import type { DialController } from "./controller_link.ts";
import { ControllerLink } from "./controller_link.ts";
import { DirectoryError } from "./directory_error.ts";
import { fetchConsensus } from "./fetch.ts";
import type { Network } from "./network.ts";
import { pause } from "./pause.ts";

/** Where a copy of the consensus lies between two runs. */
export interface ConsensusCache {
  /** The copy, or `undefined` if there is none. */
  read(): Promise<Bytes | undefined>;
  /** Replaces it: afterwards there is the old or the new one, never a part. */
  write(bytes: Bytes): Promise<void>;
}

/** What a directory is made of. */
export interface DirectoryOptions {
  /** Whom to believe. */
  readonly network: Network;
  /** Connects to a controller. */
  readonly dial: DialController;
  /** Where the copy lies. */
  readonly cache: ConsensusCache;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of what went wrong with one controller, or with the cache, while others will do. */
  readonly failed?: (error: unknown) => void;
  /** Numbers from 0 to below 1. */
  readonly random?: () => number;
}

/** Between two attempts to fetch, in milliseconds. */
const PAUSE = 1_000;

/**
 * Which relays there are, as a client or relay knows it: a verified copy of the consensus, refreshed
 * from any controller before it is too old, and usable without any controller until then. Once it has
 * taken a consensus it takes only what descends from it (S4.1).
 */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(consensus: Consensus) => void>();
  #head: Consensus | undefined;
  #relays = new Map<string, ConsensusRelay>();
  #attempt: Promise<Consensus> | undefined;
  #lastAttempt = -Infinity;

  private constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** With the copy that lies in the cache, if it is one of this network. Asks nobody yet. */
  static async open(options: DirectoryOptions): Promise<Directory> {
    const directory = new Directory(options);
    try {
      const bytes = await options.cache.read();
      if (bytes !== undefined) {
        directory.#take(await parseConsensus(bytes, options.network));
      }
    } catch (error) {
      options.failed?.(error);
    }
    return directory;
  }

  /** The copy there is, if it may be used now. */
  get current(): Consensus | undefined {
    return this.#head !== undefined && this.#problem(this.#head) === undefined
      ? this.#head
      : undefined;
  }

  /**
   * A consensus that is valid now, fetched if necessary.
   *
   * @throws {ConsensusError} if the controllers give none that may be used.
   * @throws {DirectoryError} `ERR_DIRECTORY_UNREACHABLE` if none of them answers and the copy is too old.
   */
  async consensus(): Promise<Consensus> {
    return this.current ?? await this.refresh();
  }

  /** The relay with this fingerprint in the copy there is, however old. */
  find(fingerprint: Bytes): ConsensusRelay | undefined {
    return this.#relays.get(fingerprint.toHex());
  }

  /** Calls `listener` with every other consensus from now on; the result ends that. */
  onChange(listener: (consensus: Consensus) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Asks the controllers, in random order, until one has answered. Several calls at a time share one
   * attempt, and two attempts are a second apart.
   *
   * @returns what is valid then, which is the copy if nothing newer was to be had.
   * @throws as `consensus`; `ERR_CONSENSUS_FORKED` even if the copy is still valid.
   */
  refresh(): Promise<Consensus> {
    this.#attempt ??= this.#refresh().finally(() => this.#attempt = undefined);
    return this.#attempt;
  }

  /**
   * Refreshes again and again: at a random moment of the interval that follows on `freshUntil`, so
   * that not all clients come at once. What goes wrong goes to `failed`, and is tried again.
   */
  async keepFresh(signal?: AbortSignal): Promise<void> {
    const backoff = new Backoff({ first: PAUSE, longest: 60_000 });
    const either = AbortSignal.any(
      signal === undefined
        ? [this.#closing.signal]
        : [this.#closing.signal, signal],
    );
    while (!either.aborted) {
      const head = this.current;
      const wait = head === undefined ? 0 : this.#moment(head) -
        this.#options.now();
      await pause(wait, either);
      if (either.aborted) return;
      const before = this.#head;
      try {
        await this.refresh();
        if (this.#head !== before) {
          backoff.reset();
          continue;
        }
      } catch (error) {
        this.#options.failed?.(error);
      }
      await pause(backoff.next(), either);
    }
  }

  /** Ends `keepFresh`. */
  close(): void {
    this.#closing.abort();
    this.#listeners.clear();
  }

  async #refresh(): Promise<Consensus> {
    const wait = this.#lastAttempt + PAUSE - performance.now();
    await pause(wait, this.#closing.signal);
    const { network, failed } = this.#options;
    let why: unknown;
    for (const controller of this.#shuffled(network.controllers)) {
      if (this.#closing.signal.aborted) break;
      this.#lastAttempt = performance.now();
      try {
        return await this.#fetchFrom(controller);
      } catch (error) {
        if (isFork(error)) throw error;
        failed?.(error);
        // What a controller has said is worth more than that another was not there.
        if (why === undefined || error instanceof ConsensusError) why = error;
      }
    }
    const head = this.current;
    if (head !== undefined) return head;
    if (why instanceof ConsensusError) throw why;
    throw this.#unreachable(why);
  }

  async #fetchFrom(controller: ServerAddress): Promise<Consensus> {
    const { network, dial, cache, failed, now } = this.#options;
    const link = await ControllerLink.open(
      controller,
      dial,
      this.#closing.signal,
    );
    let fetched;
    try {
      fetched = await fetchConsensus(link, network, this.#head);
    } finally {
      await link.close();
    }
    const consensus = fetched?.consensus ?? this.#head!;
    if (fetched !== undefined) {
      checkTimes(consensus, Math.floor(now() / 1_000));
      await cache.write(consensus.bytes).catch((error) => failed?.(error));
      this.#take(consensus);
    }
    const problem = this.#problem(consensus);
    if (problem !== undefined) throw problem;
    return consensus;
  }

  #take(consensus: Consensus): void {
    this.#head = consensus;
    this.#relays = new Map(
      consensus.relays.map((relay) => [
        relay.descriptor.identity.fingerprint.toHex(),
        relay,
      ]),
    );
    for (const listener of this.#listeners) listener(consensus);
  }

  #problem(times: ConsensusTimes): unknown {
    try {
      checkTimes(times, Math.floor(this.#options.now() / 1_000));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** In milliseconds since 1970. */
  #moment({ validAfter, freshUntil, validUntil }: ConsensusTimes): number {
    const interval = freshUntil - validAfter;
    const span = Math.min(interval, (validUntil - freshUntil) / 2);
    return (freshUntil + this.#random() * span) * 1_000;
  }

  #shuffled<T>(items: readonly T[]): T[] {
    return items.map((item) => ({ item, at: this.#random() }))
      .toSorted((a, b) => a.at - b.at).map(({ item }) => item);
  }

  #random(): number {
    return (this.#options.random ?? Math.random)();
  }

  #unreachable(cause: unknown): DirectoryError {
    const { length } = this.#options.network.controllers;
    const who = length === 1
      ? "the controller does not answer"
      : `none of the ${length} controllers answers`;
    const copy = this.#head === undefined
      ? "there is no copy here"
      : "the copy here is too old";
    return new DirectoryError(
      "ERR_DIRECTORY_UNREACHABLE",
      `Cannot tell which relays there are: ${who}, and ${copy}`,
      { cause },
    );
  }
}

function isFork(error: unknown): boolean {
  return error instanceof ConsensusError &&
    error.code === "ERR_CONSENSUS_FORKED";
}
