import {
  concat,
  Decoder,
  GREETING,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";

/** The highest bit of a record's length says that its body is bare: it travels as it is. */
const BARE = 0x8000_0000;
const HEADER_BYTES = 4;
const LIMITS = { messageBytes: 8_192, skippedBytes: 65_536 };
/** Verbs behind which one direction of a connection speaks in records. */
const LAST_VERBS = new Set(["HELLO", "HELLO-ACK"]);

/** What somebody on the way can make out of one direction of a connection. */
export interface Unit {
  readonly kind: "greeting" | "sealed" | "bare";
  /** All of it, a record's length included. */
  readonly bytes: Bytes;
}

/** The part of a bare record that is its body. */
export function bareBody({ bytes }: Unit): Bytes {
  return bytes.subarray(HEADER_BYTES);
}

/** Cuts one direction of a connection into what is said in the clear, and records. */
export class RecordCutter {
  readonly #greeting = new Decoder(new Vocabulary(GREETING), LIMITS);
  #greeted = false;
  #rest: Bytes = new Uint8Array(0);

  /** Takes the next bytes; what is whole now, in order. */
  push(bytes: Uint8Array): Unit[] {
    this.#rest = concat(this.#rest, new Uint8Array(bytes));
    const units: Unit[] = [];
    if (!this.#greeted) units.push(...this.#greet());
    while (this.#greeted && this.#rest.length >= HEADER_BYTES) {
      const word = new DataView(this.#rest.buffer, this.#rest.byteOffset)
        .getUint32(0);
      const bare = word >= BARE;
      const length = HEADER_BYTES + (bare ? word - BARE : word);
      if (this.#rest.length < length) break;
      units.push({
        kind: bare ? "bare" : "sealed",
        bytes: this.#rest.slice(0, length),
      });
      this.#rest = this.#rest.subarray(length);
    }
    return units;
  }

  #greet(): Unit[] {
    const given = this.#rest;
    this.#rest = new Uint8Array(0);
    this.#greeting.push(given);
    let message;
    while ((message = this.#greeting.next()) !== undefined) {
      if (!LAST_VERBS.has(message.verb.name)) continue;
      this.#greeted = true;
      this.#rest = this.#greeting.remainder();
      break;
    }
    const used = given.subarray(0, given.length - this.#rest.length);
    return [{ kind: "greeting", bytes: used.slice() }];
  }
}
