import { FLAG_GUARD, FLAG_MIDDLE_ONLY } from "../../directory/mod.ts";
import type { ConsensusRelay } from "../../directory/mod.ts";
import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { randomBelow } from "../../protocol/mod.ts";
import type { GuardRecord, GuardsData } from "./guard_record.ts";
import { encodeGuards, GUARD_LIMIT, parseGuards } from "./guard_record.ts";
import { chooseRelay } from "./relay_choice.ts";

interface Guard extends GuardRecord {
  addedAt: number;
  unlistedSince: number | undefined;
  /** How often it has not answered since it last did. */
  failures: number;
  /** When it may be tried again. */
  retryAt: number;
}

/** The guards that are used as long as one of them answers. */
const PRIMARIES = 3;
/** As many are kept ready; relays that have left the consensus do not count. */
const LISTED_WANTED = 10;
const DAY = 86_400;
/** How long a guard stays one. */
const LIFETIME = 120 * DAY;
/** Guards come in up to so much earlier than in truth, so that they do not all leave at one time. */
const LIFETIME_SPREAD = 12 * DAY;
/** How long a guard is kept that has left the consensus: it may come back. */
const UNLISTED_KEPT = 7 * DAY;
const FIRST_RETRY = 10;
const LONGEST_RETRY = 3_600;
const LONGEST_PRIMARY_RETRY = 600;
/** After so long without any answer it was the client that had no network, not the guards. */
const OFFLINE = 600;

/**
 * The few relays through which a client enters the network, the same for months: whoever changes them
 * often meets a bad one soon (guard-spec §1). They are sampled once in an order that stays. The first
 * that answers is used; the ones before it are tried again after waits that grow, and used again once
 * they answer. There are never more than 20, and those that have expired (after 120 days) or have left
 * the consensus (for 7 days) make room for others.
 *
 * Times are in seconds since 1970. What did not answer is forgotten when the data are stored.
 */
export class Guards {
  #guards: Guard[];
  /** When a guard answered last; before the first, when one was tried first. */
  #answeredAt: number | undefined;

  /**
   * The guards in `data` (see `toJSON`), or none yet.
   *
   * @throws {MalformedError} if `data` are anything else.
   */
  constructor(data?: unknown) {
    const records = data === undefined ? [] : parseGuards(data);
    this.#guards = records.map((record) => ({
      ...record,
      unlistedSince: record.unlistedSince,
      failures: 0,
      retryAt: -Infinity,
    }));
  }

  /** The data to store, for `JSON.stringify` and the constructor. */
  toJSON(): GuardsData {
    return encodeGuards(this.#guards);
  }

  /**
   * The guards that may be tried now, the best first; none if all have failed a short while ago.
   *
   * @param now seconds since 1970.
   */
  usable(now: number): Bytes[] {
    return this.#listed().filter((guard) => guard.retryAt <= now)
      .map((guard) => guard.fingerprint);
  }

  /** When the next guard may be tried if none may be now, in seconds since 1970; `Infinity` without any. */
  get retryAt(): number {
    return Math.min(...this.#listed().map((guard) => guard.retryAt));
  }

  /**
   * Takes in a new consensus: notes which guards are in it, lets go of old ones, samples new ones.
   *
   * @param now seconds since 1970.
   * @returns whether there is anything new to store.
   */
  update(
    relays: readonly ConsensusRelay[],
    now: number,
    random: RandomSource,
  ): boolean {
    const before = JSON.stringify(this);
    const fit = new Map(
      relays.filter(isFit).map((each) => [printOf(each), each]),
    );
    for (const guard of this.#guards) {
      // A time that has not come yet is that of a clock which was wrong.
      guard.addedAt = Math.min(guard.addedAt, now);
      guard.unlistedSince = fit.has(guard.fingerprint.toHex())
        ? undefined
        : Math.min(guard.unlistedSince ?? now, now);
    }
    this.#guards = this.#guards.filter((guard) => mayStay(guard, now));
    for (const guard of this.#guards) fit.delete(guard.fingerprint.toHex());
    this.#sample([...fit.values()], now, random);
    return JSON.stringify(this) !== before;
  }

  /**
   * The guard has not answered: it is left alone for a while, and for longer each time.
   *
   * @param now seconds since 1970.
   */
  failed(fingerprint: Bytes, now: number): void {
    const guard = this.#find(fingerprint);
    if (guard === undefined) return;
    this.#answeredAt ??= now;
    const longest = this.#primaries().includes(guard)
      ? LONGEST_PRIMARY_RETRY
      : LONGEST_RETRY;
    const wait = FIRST_RETRY * 2 ** Math.min(guard.failures, 30);
    guard.failures++;
    guard.retryAt = now + Math.min(wait, longest);
  }

  /**
   * The guard has answered. If nobody had for a while, the primary guards are tried again at once: it
   * was not their fault.
   *
   * @param now seconds since 1970.
   */
  succeeded(fingerprint: Bytes, now: number): void {
    const guard = this.#find(fingerprint);
    if (guard === undefined) return;
    guard.failures = 0;
    guard.retryAt = -Infinity;
    if (now - (this.#answeredAt ?? now) > OFFLINE) {
      for (const each of this.#primaries()) each.retryAt = -Infinity;
    }
    this.#answeredAt = now;
  }

  /** Draws guards until enough are listed, in an order that stays: by bandwidth, none twice. */
  #sample(
    candidates: readonly ConsensusRelay[],
    now: number,
    random: RandomSource,
  ): void {
    let left = candidates;
    while (
      this.#guards.length < GUARD_LIMIT &&
      this.#listed().length < LISTED_WANTED
    ) {
      const chosen = chooseRelay(left, random);
      if (chosen === undefined) return;
      left = left.filter((each) => each !== chosen);
      const early = randomBelow(LIFETIME_SPREAD, random);
      this.#guards.push({
        fingerprint: chosen.descriptor.identity.fingerprint,
        addedAt: Math.max(now - early, 0),
        unlistedSince: undefined,
        failures: 0,
        retryAt: -Infinity,
      });
    }
  }

  #listed(): Guard[] {
    return this.#guards.filter((guard) => guard.unlistedSince === undefined);
  }

  #primaries(): Guard[] {
    return this.#listed().slice(0, PRIMARIES);
  }

  #find(fingerprint: Bytes): Guard | undefined {
    const print = fingerprint.toHex();
    return this.#guards.find((each) => each.fingerprint.toHex() === print);
  }
}

function isFit(relay: ConsensusRelay): boolean {
  return (relay.flags & (FLAG_GUARD | FLAG_MIDDLE_ONLY)) === FLAG_GUARD;
}

function mayStay(guard: Guard, now: number): boolean {
  const { addedAt, unlistedSince = now } = guard;
  return now < addedAt + LIFETIME && now < unlistedSince + UNLISTED_KEPT;
}

function printOf(relay: ConsensusRelay): string {
  return relay.descriptor.identity.fingerprint.toHex();
}
