import {
  bytes,
  integer,
  long,
  verb,
} from "../../../lib/protocol/risp/command.ts";
import type { CommandTable } from "../../../lib/protocol/risp/vocabulary.ts";

/** A command in every range, for tests: the last digits of the ids are arbitrary. */
export const U8 = integer(0x0042, "U8", "one byte");
export const U16 = integer(0x1042, "U16", "two bytes");
export const U32 = integer(0x2042, "U32", "four bytes");
export const U64 = long(0x3042, "U64", "eight bytes");
export const FIXED_16 = bytes(0x4042, "FIXED-16", "16 bytes");
export const FIXED_32 = bytes(0x5042, "FIXED-32", "32 bytes");
export const FIXED_64 = bytes(0x6042, "FIXED-64", "64 bytes");
export const BYTES_1 = bytes(0x8042, "BYTES-1", "1-byte length");
export const BYTES_2 = bytes(0x9042, "BYTES-2", "2-byte length");
export const BYTES_4 = bytes(0xa042, "BYTES-4", "4-byte length");
export const BYTES_8 = bytes(0xb042, "BYTES-8", "8-byte length");
export const PIECES = bytes(0x9043, "PIECES", "they add up", { repeats: true });
export const GO = verb(0x7042, "GO", "do it");
export const STOP = verb(0xc042, "STOP", "do not");
export const LAST = verb(0xffff, "LAST", "the highest id");

export const PARAMETERS = [
  U8,
  U16,
  U32,
  U64,
  FIXED_16,
  FIXED_32,
  FIXED_64,
  BYTES_1,
  BYTES_2,
  BYTES_4,
  BYTES_8,
  PIECES,
] as const;

export const TABLE: CommandTable = {
  service: "test",
  parameters: PARAMETERS,
  verbs: [GO, STOP, LAST],
};
