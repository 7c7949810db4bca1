import { AccountError } from "./account_error.ts";
import { Throttle } from "./throttle.ts";

/** Pairs of account and address group that are remembered as having logged in. */
const HOMES_REMEMBERED = 100_000;

/**
 * What slows guessing at passphrases down. Three things are counted: guesses from one address group at
 * one account, guesses from one group at any account, and guesses at one account from anywhere. The
 * last slows a little only, and not where the account has logged in from before: otherwise anybody
 * could keep its owner out by guessing all the time.
 *
 * Times are milliseconds, from any steady clock.
 */
export class LoginThrottles {
  readonly #byGroup = new Throttle({ free: 20, longest: 900 });
  readonly #byPair = new Throttle({ free: 5, longest: 900 });
  readonly #byAccount = new Throttle({ free: 50, longest: 30 });
  readonly #homes = new Set<string>();

  /** @throws {AccountError} "throttled" if an attempt is not looked at now. */
  check(address: string, group: string, now: number): void {
    const seconds = now / 1_000;
    const pair = pairOf(address, group);
    const wait = Math.max(
      this.#byGroup.wait(group, seconds),
      this.#byPair.wait(pair, seconds),
      this.#homes.has(pair) ? 0 : this.#byAccount.wait(address, seconds),
    );
    if (wait > 0) throw new AccountError("log in", "throttled", wait);
  }

  failed(address: string, group: string, now: number): void {
    const seconds = now / 1_000;
    this.#byGroup.failed(group, seconds);
    this.#byPair.failed(pairOf(address, group), seconds);
    this.#byAccount.failed(address, seconds);
  }

  succeeded(address: string, group: string): void {
    const pair = pairOf(address, group);
    this.#byPair.succeeded(pair);
    // Deleted first, so that the set stays in the order of the last login.
    this.#homes.delete(pair);
    this.#homes.add(pair);
    if (this.#homes.size <= HOMES_REMEMBERED) return;
    for (const oldest of this.#homes) {
      this.#homes.delete(oldest);
      break;
    }
  }
}

/** No group holds a space, so that two pairs are never confused, whatever a peer sends as address. */
function pairOf(address: string, group: string): string {
  return `${address} ${group}`;
}
