import type { Bytes } from "../bytes/bytes.ts";

/** What follows the id of a parameter: an integer, a fixed number of bytes, or bytes behind a length. */
export type Kind =
  | "u8"
  | "u16"
  | "u32"
  | "u64"
  | "16 bytes"
  | "32 bytes"
  | "64 bytes"
  | "bytes, 1-byte length"
  | "bytes, 2-byte length"
  | "bytes, 4-byte length"
  | "bytes, 8-byte length";

/**
 * The shape of what follows an id: `prefix` bytes of big-endian integer, which is the value itself
 * or, if `counted`, the number of bytes behind it; or `fixed` bytes; or nothing (a verb).
 */
export interface Shape {
  /** Its name, as the specification has it. */
  readonly kind: Kind | "verb";
  /** Bytes of the integer: 0, 1, 2, 4 or 8. */
  readonly prefix: number;
  /** Whether the integer counts the bytes behind it. */
  readonly counted: boolean;
  /** Bytes that always follow: 0, 16, 32 or 64. */
  readonly fixed: number;
}

const shape = (
  kind: Shape["kind"],
  prefix: number,
  counted: boolean,
  fixed: number,
): Shape => ({ kind, prefix, counted, fixed });

const VERB = shape("verb", 0, false, 0);

/** Indexed by the top four bits of an id. The table of SPEC.md §2.1. */
const SHAPES: readonly Shape[] = [
  shape("u8", 1, false, 0),
  shape("u16", 2, false, 0),
  shape("u32", 4, false, 0),
  shape("u64", 8, false, 0),
  shape("16 bytes", 0, false, 16),
  shape("32 bytes", 0, false, 32),
  shape("64 bytes", 0, false, 64),
  VERB,
  shape("bytes, 1-byte length", 1, true, 0),
  shape("bytes, 2-byte length", 2, true, 0),
  shape("bytes, 4-byte length", 4, true, 0),
  shape("bytes, 8-byte length", 8, true, 0),
  VERB,
  VERB,
  VERB,
  VERB,
];

/** The shape that the range of `id` (0..65535) prescribes, also for ids that nobody has named. */
export function shapeOf(id: number): Shape {
  return SHAPES[id >> 12]!;
}

/** A named parameter whose value is a `V`. */
export interface Parameter<V extends number | bigint | Bytes> {
  /** 0 to 65,535; its range says what follows. */
  readonly id: number;
  /** As the specification writes it. */
  readonly name: string;
  /** In a few words. */
  readonly meaning: string;
  /** What follows the id. */
  readonly shape: Shape;
  /** Whether every value that is set counts, in order, and not only the last one. */
  readonly repeats: boolean;
  /** Never set; carries `V` for the type checker. */
  readonly value?: V;
}

/** A parameter of any type. */
export type AnyParameter =
  | Parameter<number>
  | Parameter<bigint>
  | Parameter<Bytes>;

/** A named command that executes with the parameters set before it. */
export interface Verb {
  /** 0 to 65,535; its range says what follows. */
  readonly id: number;
  /** As the specification writes it. */
  readonly name: string;
  /** In a few words. */
  readonly meaning: string;
}

/** Names a parameter that is an integer of one, two or four bytes (ids 0x0000 to 0x2fff). */
export function integer(
  id: number,
  name: string,
  meaning: string,
): Parameter<number> {
  return parameter(id, name, meaning, false, id <= 0x2fff);
}

/** Names a parameter that is an integer of eight bytes (ids 0x3000 to 0x3fff). */
export function long(
  id: number,
  name: string,
  meaning: string,
): Parameter<bigint> {
  return parameter(id, name, meaning, false, id >> 12 === 0x3);
}

/** Names a parameter that is a byte string (ids 0x4000 to 0x6fff and 0x8000 to 0xbfff). */
export function bytes(
  id: number,
  name: string,
  meaning: string,
  { repeats = false }: { repeats?: boolean } = {},
): Parameter<Bytes> {
  const { fixed, counted } = shapeOf(id);
  return parameter(id, name, meaning, repeats, fixed > 0 || counted);
}

/** Names a verb (ids 0x7000 to 0x7fff and 0xc000 to 0xffff). */
export function verb(id: number, name: string, meaning: string): Verb {
  if (shapeOf(id) !== VERB) throw outside(id, name);
  return { id, name, meaning };
}

function parameter<V extends number | bigint | Bytes>(
  id: number,
  name: string,
  meaning: string,
  repeats: boolean,
  fits: boolean,
): Parameter<V> {
  if (!fits) throw outside(id, name);
  return { id, name, meaning, shape: shapeOf(id), repeats };
}

function outside(id: number, name: string): RangeError {
  return new RangeError(
    `Cannot name ${name}: 0x${id.toString(16)} lies in another range`,
  );
}
