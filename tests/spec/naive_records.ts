/**
 * Records, written from SPEC.md §4: one direction is a key and a counter.
 *
 * @module
 */
import { hkdf, join, open, seal, toBig, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

/** Records under one key (§4.2). */
export const RECORDS_UNDER_ONE_KEY: number = 2 ** 20;

/** Set in the length of a bare record (§4.1). */
const BARE = 2 ** 31;

/** A bare record (§4.1). */
export function bare(body: Uint8Array): Octets {
  return join(unsigned(4, BARE + body.length), body);
}

/** The body of a bare record; `undefined` of a sealed one. */
export function bodyOf(record: Uint8Array): Octets | undefined {
  const isBare = toBig(record.slice(0, 4)) >= BigInt(BARE);
  return isBare ? new Uint8Array(record.slice(4)) : undefined;
}

/** One direction of a channel. */
export class Direction {
  #key: Octets;
  #n = 0;
  readonly #keyLasts: number;

  constructor(key: Octets, keyLasts: number = RECORDS_UNDER_ONE_KEY) {
    this.#key = key;
    this.#keyLasts = keyLasts;
  }

  /** One record. */
  seal(plaintext: Uint8Array): Octets {
    const head = unsigned(4, plaintext.length + 16);
    const nonce = this.#nonce();
    return join(head, seal(this.#key, nonce, plaintext, head));
  }

  /** The plaintext of one record; empty: CLOSE. A bare one has no place here. */
  open(record: Uint8Array): Octets {
    if (bodyOf(record) !== undefined) throw new Error("a stray body");
    const head = record.slice(0, 4);
    const nonce = this.#nonce();
    return open(this.#key, nonce, record.slice(4), head);
  }

  /** Lets records pass under the key as it stands. */
  skip(count: number): void {
    this.#n += count;
  }

  /** Mixes in a secret (§4.3). */
  mix(secret: Uint8Array): void {
    this.#key = hkdf(secret, this.#key, "sotto mix", 32);
    this.#n = 0;
  }

  /** The next nonce, before which there may be a new key. */
  #nonce(): Octets {
    if (this.#n === this.#keyLasts) {
      this.#key = hkdf(this.#key, new Uint8Array(0), "sotto rekey", 32);
      this.#n = 0;
    }
    return join(new Uint8Array(4), unsigned(8, this.#n++));
  }
}

/** Cuts the front of `stream` into whole records; what is left over stays. */
export function cutRecords(
  stream: Uint8Array,
): { records: Octets[]; rest: Octets } {
  const records: Octets[] = [];
  let at = 0;
  while (stream.length - at >= 4) {
    const word = Number(toBig(stream.slice(at, at + 4)));
    const length = word % BARE;
    const fits = word >= BARE
      ? length >= 1 && length <= 65_536
      : length >= 16 && length <= 65_552;
    if (!fits) {
      throw new Error(`a record of ${length}`);
    }
    if (stream.length - at < 4 + length) break;
    records.push(new Uint8Array(stream.slice(at, at + 4 + length)));
    at += 4 + length;
  }
  return { records, rest: new Uint8Array(stream.slice(at)) };
}
