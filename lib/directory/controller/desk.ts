import type { NodeCertificate } from "../../identity/mod.ts";
import {
  isPublicAddress,
  parseIpAddress,
  TokenBuckets,
} from "../../net/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import type { Consensus } from "../consensus.ts";
import type { RelayDescriptor } from "../descriptor.ts";
import type { Controller, ControllerEvent } from "./controller.ts";
import type { DialRelay, ProbeFailure } from "./probe.ts";
import { probe } from "./probe.ts";
import type { ControllerLimits } from "./server_limits.ts";

/** What a desk is made of. */
export interface DeskOptions {
  /** Whose desk it is. */
  readonly controller: Controller;
  /** What it takes on. */
  readonly limits: ControllerLimits;
  /** Connects to a relay that wants to be listed. */
  readonly dialRelay: DialRelay;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Told of what happens. */
  readonly happened: (event: ControllerEvent) => void;
}

/** Relays that are looked at again at a time. */
const LOOKS_AT_A_TIME = 8;
/** Between two looks for relays that are to be looked at again, in milliseconds. */
const LOOK_EVERY = 1_000;

/**
 * Where a controller deals with its visitors: whether they may, whether a relay is where it says, and
 * what becomes of the registry.
 */
export class Desk {
  /** What it takes on. */
  readonly limits: ControllerLimits;
  readonly #options: DeskOptions;
  readonly #registrations: TokenBuckets;
  readonly #fetches: TokenBuckets;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #closing = new AbortController();
  #probes = 0;
  readonly #looks = new Set<Promise<void>>();

  /** Begins to look after the relays at once. */
  constructor(options: DeskOptions) {
    this.#options = options;
    this.limits = options.limits;
    this.#registrations = new TokenBuckets(options.limits.registrations);
    this.#fetches = new TokenBuckets(options.limits.fetches);
    this.#timer = setInterval(() => this.#lookAround(), LOOK_EVERY);
  }

  /** The newest consensus. */
  get head(): Consensus | undefined {
    return this.#options.controller.head;
  }

  /** As `Controller.headers`. */
  headers(first: number, count: number): Bytes | undefined {
    return this.#options.controller.headers(first, count);
  }

  /** Whether a node is one of the controllers. */
  isController({ fingerprint }: NodeCertificate): boolean {
    return this.#options.controller.isController(fingerprint);
  }

  /** As `Controller.deliberate`. */
  deliberate(from: NodeCertificate, body: Bytes): Promise<void> {
    return this.#options.controller.deliberate(from.fingerprint, body);
  }

  /** Whether this address may fetch something now. */
  mayFetch(group: string): boolean {
    return this.#isFree(group) || this.#fetches.take(group, this.#now) === 0;
  }

  /**
   * Lists a relay if it may be, and is where it says.
   *
   * @param owner stands for the connection that it came by.
   * @returns why not, in a word.
   */
  async list(
    descriptor: RelayDescriptor,
    group: string,
    owner: unknown,
  ): Promise<string | undefined> {
    const { controller: { registry }, happened } = this.#options;
    let why = this.#refusal(descriptor, group);
    if (why === undefined) {
      this.#probes++;
      why = await this.#probe(descriptor).finally(() => this.#probes--) ??
        // Much may have changed while it was looked at.
        registry.refusal(descriptor, this.#now);
    }
    if (why !== undefined) {
      happened({ kind: "declined", why });
      return why;
    }
    registry.list(descriptor, owner, this.#now);
    happened({ kind: "listed", relay: descriptor.identity.fingerprint });
    this.#options.controller.changed();
    return undefined;
  }

  /** A sign of life of a relay; `false` if it is not listed by this owner. */
  alive({ fingerprint }: NodeCertificate, owner: unknown): boolean {
    return this.#options.controller.registry
      .alive(fingerprint, owner, this.#now);
  }

  /** A relay leaves in an orderly way. */
  leave({ identity }: RelayDescriptor, owner: unknown): void {
    this.#drop(identity.fingerprint, "goodbye", owner);
  }

  /** The connection of a relay has ended without a word: is it still there? */
  lost(descriptor: RelayDescriptor, owner: unknown): void {
    this.#look(descriptor, owner);
  }

  /** Looks after nobody any more, and waits for what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearInterval(this.#timer);
    await Promise.all(this.#looks);
  }

  get #now(): number {
    return this.#options.now();
  }

  #refusal(descriptor: RelayDescriptor, group: string): string | undefined {
    const address = parseIpAddress(descriptor.address.host);
    if (
      !this.limits.allowPrivate &&
      (address === undefined || !isPublicAddress(address))
    ) return "private-address";
    if (
      !this.#isFree(group) && this.#registrations.take(group, this.#now) > 0
    ) return "too-fast";
    if (this.#probes >= this.limits.probes) return "too-fast";
    return this.#options.controller.registry.refusal(descriptor, this.#now);
  }

  /** Whether an address is not held back: a whole network on one machine comes from one. */
  #isFree(group: string): boolean {
    return this.limits.allowPrivate &&
      (group.startsWith("127.") || group === "0:0:0:0::/64");
  }

  #lookAround(): void {
    const { registry } = this.#options.controller;
    const free = LOOKS_AT_A_TIME - this.#looks.size;
    if (free <= 0) return;
    const due = registry.due(this.limits.probeEvery, free, this.#now);
    for (const each of due) this.#look(each);
  }

  #look(descriptor: RelayDescriptor, owner?: unknown): void {
    if (this.#closing.signal.aborted) return;
    const look = this.#dropIfGone(descriptor, owner)
      .finally(() => this.#looks.delete(look));
    this.#looks.add(look);
  }

  #probe(descriptor: RelayDescriptor): Promise<ProbeFailure | undefined> {
    const { signal } = this.#closing;
    return probe(descriptor, this.#options.dialRelay, signal);
  }

  async #dropIfGone(
    descriptor: RelayDescriptor,
    owner: unknown,
  ): Promise<void> {
    const why = await this.#probe(descriptor);
    if (why === undefined || why === "busy") return;
    if (this.#closing.signal.aborted) return;
    const { fingerprint } = descriptor.identity;
    // It may be listed anew by now, at another address.
    const { registry } = this.#options.controller;
    if (registry.find(fingerprint) === descriptor) {
      this.#drop(fingerprint, why, owner);
    }
  }

  #drop(relay: Bytes, why: string, owner: unknown): void {
    const { controller, happened } = this.#options;
    if (!controller.registry.remove(relay, owner)) return;
    happened({ kind: "dropped", relay, why });
    controller.changed();
  }
}
