import type { Bytes } from "../../protocol/mod.ts";
import { fromUtf8, Reader, utf8, Writer } from "../../protocol/mod.ts";
import { OPENING_LETTER_BYTES } from "../letter.ts";
import type { RecordKind } from "./transaction.ts";

/** A sealed letter that the server has not stored yet. */
export interface OutboxLetter {
  /** 16 bytes, the same at every attempt, so that the server stores it once. */
  readonly letterId: Bytes;
  /** The recipient's address. */
  readonly address: string;
  /** The history entry that it is a part of; 0: none, such as a receipt. */
  readonly entry: number;
  readonly letter: Bytes;
}

/** Letters on their way out, in the order in which they were sealed. */
export const OUTBOX: RecordKind<OutboxLetter> = {
  kind: "outbox",
  encode({ letterId, address, entry, letter }) {
    return new Writer(letter.length + 64).bytes(letterId)
      .prefixed(1, utf8(address)).u32(entry).prefixed(2, letter).done();
  },
  decode(bytes) {
    const reader = new Reader(bytes);
    const outgoing = {
      letterId: reader.take(16),
      address: fromUtf8(reader.prefixed(1, 255)),
      entry: reader.u32(),
      letter: reader.prefixed(2, OPENING_LETTER_BYTES),
    };
    reader.end();
    return outgoing;
  },
};

let counter = 0;

/** A new key behind all that this machine has made before, as far as its clock does not go back. */
export function outboxKey(now: number, letterId: Bytes): string {
  counter = (counter + 1) % 1_000_000;
  const time = String(now).padStart(15, "0");
  return `${time}-${String(counter).padStart(6, "0")}-${letterId.toHex()}`;
}
