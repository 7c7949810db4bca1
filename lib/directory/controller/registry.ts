import { addressGroup } from "../../net/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import type { Candidate } from "../agreement/output.ts";
import { sameBytes } from "../byte_order.ts";
import { RELAY_LIMIT } from "../consensus_body.ts";
import type { RelayDescriptor } from "../descriptor.ts";

/** What is taken into a registry; times in milliseconds. */
export interface RegistryRules {
  /** Relays at one address (of IPv6: in one /64). */
  readonly perAddress: number;
  /** Whether loopback addresses may have any number. */
  readonly anyOnLoopback: boolean;
  /** Silence after which a relay is forgotten. */
  readonly forgetAfter: number;
  /** How long a relay must be known to be a guard, in a network that is not small. */
  readonly guardAfter: number;
}

/** Networks of fewer relays have no time to wait for guards. */
const SMALL_NETWORK = 20;
/** How far in the future a descriptor may have been made, in seconds. */
const CLOCK_TOLERANCE = 300;

/** Why a relay is not taken: in a word, as the controller says it. */
export type RelayRefusal = "stale" | "clock" | "too-many" | "full";

interface Entry {
  readonly descriptor: RelayDescriptor;
  /** At whose connection it was handed in last. */
  readonly owner: unknown;
  readonly firstSeen: number;
  aliveAt: number;
  probedAt: number;
}

/** The relays that a controller holds to be running. No sockets, no clock. */
export class Registry {
  readonly #rules: RegistryRules;
  readonly #entries = new Map<string, Entry>();
  readonly #guards: ReadonlySet<string>;
  #version = 0;

  /** `guards` are fingerprints (hexadecimal) of relays that have been known for long. */
  constructor(rules: RegistryRules, guards: ReadonlySet<string> = new Set()) {
    this.#rules = rules;
    this.#guards = guards;
  }

  /** How many relays there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Rises whenever what a consensus says would change. */
  get version(): number {
    return this.#version;
  }

  /** Whether a descriptor may be taken; asked before it is looked whether the relay can be reached. */
  refusal(descriptor: RelayDescriptor, now: number): RelayRefusal | undefined {
    const key = descriptor.identity.fingerprint.toHex();
    const known = this.#entries.get(key)?.descriptor;
    if (descriptor.publishedAt > now / 1_000 + CLOCK_TOLERANCE) return "clock";
    if (known !== undefined) {
      const same = sameBytes(known.digest, descriptor.digest);
      if (!same && descriptor.publishedAt <= known.publishedAt) return "stale";
    } else if (this.#entries.size >= RELAY_LIMIT) {
      return "full";
    }
    const group = addressGroup(descriptor.address.host);
    if (this.#rules.anyOnLoopback && isLoopback(group)) return undefined;
    let beside = 0;
    for (const [other, entry] of this.#entries) {
      if (other === key) continue;
      if (addressGroup(entry.descriptor.address.host) === group) beside++;
    }
    return beside >= this.#rules.perAddress ? "too-many" : undefined;
  }

  /** Takes a relay in, or its newer descriptor. `owner` stands for the connection it came by. */
  list(descriptor: RelayDescriptor, owner: unknown, now: number): void {
    const key = descriptor.identity.fingerprint.toHex();
    const known = this.#entries.get(key);
    const firstSeen = known?.firstSeen ??
      (this.#guards.has(key) ? -Infinity : now);
    this.#entries.set(key, {
      descriptor,
      owner,
      firstSeen,
      aliveAt: now,
      probedAt: now,
    });
    if (
      known === undefined ||
      !sameBytes(known.descriptor.digest, descriptor.digest)
    ) this.#version++;
  }

  /** Takes in a relay that was running before a restart; it is to show itself, and to be looked at. */
  restore(descriptor: RelayDescriptor, now: number): void {
    this.list(descriptor, undefined, now);
    const entry = this.#entries.get(descriptor.identity.fingerprint.toHex())!;
    entry.probedAt = -Infinity;
  }

  /** A sign of life; `false` if the relay is not listed by this owner. */
  alive(fingerprint: Bytes, owner: unknown, now: number): boolean {
    const entry = this.#entries.get(fingerprint.toHex());
    if (entry === undefined || entry.owner !== owner) return false;
    entry.aliveAt = now;
    return true;
  }

  /** Takes a relay out; `false` if it was not there, or another owner has it by now. */
  remove(fingerprint: Bytes, owner?: unknown): boolean {
    const key = fingerprint.toHex();
    const entry = this.#entries.get(key);
    if (entry === undefined) return false;
    if (owner !== undefined && entry.owner !== owner) return false;
    this.#entries.delete(key);
    this.#version++;
    return true;
  }

  /** Takes out the relays that have been silent for too long. */
  expire(now: number): readonly RelayDescriptor[] {
    const silent = [...this.#entries.values()]
      .filter(({ aliveAt }) => now - aliveAt >= this.#rules.forgetAfter)
      .map(({ descriptor }) => descriptor);
    for (const { identity } of silent) this.remove(identity.fingerprint);
    return silent;
  }

  /** Up to `count` relays that were not looked at for `every` milliseconds; they count as looked at. */
  due(every: number, count: number, now: number): readonly RelayDescriptor[] {
    const due: RelayDescriptor[] = [];
    for (const entry of this.#entries.values()) {
      if (due.length === count) break;
      if (now - entry.probedAt < every) continue;
      entry.probedAt = now;
      due.push(entry.descriptor);
    }
    return due;
  }

  /** The descriptor that a relay is listed with. */
  find(fingerprint: Bytes): RelayDescriptor | undefined {
    return this.#entries.get(fingerprint.toHex())?.descriptor;
  }

  /** All of them, for a vote. */
  candidates(now: number): readonly Candidate[] {
    const small = this.#entries.size < SMALL_NETWORK;
    return [...this.#entries.values()].map(({ descriptor, firstSeen }) => ({
      descriptor,
      guard: small || now - firstSeen >= this.#rules.guardAfter,
    }));
  }
}

function isLoopback(group: string): boolean {
  return group.startsWith("127.") || group === addressGroup("::1");
}
