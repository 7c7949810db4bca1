/**
 * Cells and layers, written from SPEC.md §12.2 and §12.4.
 *
 * @module
 */
import {
  hkdf,
  join,
  layer,
  openLayer,
  random,
  toBig,
  unsigned,
} from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

/** Lengths of a body, by the number in its header. */
export const BODIES: readonly number[] = [1_536, 65_536];
/** Commands of cells. */
export const CELL = { padding: 0, create: 1, created: 2, relay: 3, destroy: 4 };
/** Why a circuit is destroyed, in the order of the text. */
export const REASONS: readonly string[] = [
  "requested",
  "protocol",
  "internal",
  "resource-limit",
  "connect-failed",
  "unknown-relay",
  "wrong-onion-key",
  "link-gone",
  "hibernating",
  "too-many-circuits",
  "timeout",
];

/** A cell. */
export interface NaiveCell {
  readonly circuit: number;
  readonly command: number;
  readonly detail: number;
  readonly body: Octets;
}

/** The header of a cell, 8 bytes. */
export function headerOf(cell: NaiveCell): Octets {
  return join(
    unsigned(4, cell.circuit),
    unsigned(1, cell.command),
    unsigned(1, BODIES.indexOf(cell.body.length)),
    unsigned(2, cell.detail),
  );
}

/** What a record of headers announces, with the length of each body. */
export function readHeaders(
  record: Octets,
): { circuit: number; command: number; detail: number; length: number }[] {
  if (record.length % 8 !== 0) throw new Error("no whole number of headers");
  if (record.length > 64 * 8) throw new Error("more than 64 headers");
  const headers = [];
  for (let at = 0; at < record.length; at += 8) {
    const number = (from: number, to: number) =>
      Number(toBig(record.slice(at + from, at + to)));
    const length = BODIES[number(5, 6)];
    const command = number(4, 5);
    if (length === undefined || command > 4) throw new Error("no cell");
    if (length !== 1_536 && ![CELL.padding, CELL.relay].includes(command)) {
      throw new Error("a large cell of a command that has none");
    }
    const [circuit, detail] = [number(0, 4), number(6, 8)];
    headers.push({ circuit, command, detail, length });
  }
  return headers;
}

/** `bytes`, and noise up to `length`. */
export function noisy(bytes: Octets, length: number): Octets {
  return join(bytes, random(length - bytes.length));
}

/** L_p of a body. */
export function layerLength(body: number, position: number): number {
  return body - 17 * (position - 1);
}

/** A relay's layer in one direction: a key and a counter. */
export class NaiveLayer {
  #key: Octets;
  #n = 0;
  readonly #keyLasts: number;

  constructor(key: Octets, keyLasts = 2 ** 14) {
    this.#key = key;
    this.#keyLasts = keyLasts;
  }

  /** LAYER of `plaintext`. */
  seal(plaintext: Octets): Octets {
    const nonce = this.#nonce();
    return layer(this.#key, nonce, plaintext);
  }

  /** What is inside; throws if it does not open. */
  open(sealed: Octets): Octets {
    const nonce = this.#nonce();
    return openLayer(this.#key, nonce, sealed);
  }

  #nonce(): Octets {
    if (this.#n === this.#keyLasts) {
      this.#key = hkdf(this.#key, new Uint8Array(0), "sotto rekey", 32);
      this.#n = 0;
    }
    return join(new Uint8Array(4), unsigned(8, this.#n++));
  }
}

/** A hop as both of its ends have it. */
export interface NaiveHop {
  /** What comes from the client. */
  readonly forward: NaiveLayer;
  /** What goes to it. */
  readonly backward: NaiveLayer;
}

/**
 * A body from the client for the hop at `position`, with the tag of its innermost layer; `rest` is the
 * message with its zeros.
 */
export function wrap(
  hops: readonly NaiveHop[],
  position: number,
  rest: Octets,
): { body: Octets; tag: Octets } {
  let sealed = hops[position - 1]!.forward.seal(join(unsigned(1, 1), rest));
  const tag = sealed.slice(-16);
  for (let p = position - 1; p >= 1; p--) {
    sealed = hops[p - 1]!.forward.seal(join(unsigned(1, 0), sealed));
  }
  return { body: sealed, tag };
}

/** What a body that came to the client says: from which position, which rest, and the tag of its layer. */
export function unwrap(
  hops: readonly NaiveHop[],
  body: Octets,
): { position: number; rest: Octets; tag: Octets } {
  let inner = body;
  for (let p = 1; p <= hops.length; p++) {
    const sealed = inner.slice(0, layerLength(body.length, p));
    const plaintext = hops[p - 1]!.backward.open(sealed);
    inner = plaintext.slice(1);
    if (plaintext[0] === 1) {
      return { position: p, rest: inner, tag: sealed.slice(-16) };
    }
    if (plaintext[0] !== 0) throw new Error("for nobody");
  }
  throw new Error("no layer holds a message");
}
