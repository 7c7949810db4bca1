import type { Reader, Writer } from "../protocol/mod.ts";
import { MalformedError } from "../protocol/mod.ts";

/** Whether `value` is a whole number from 0 that a `number` holds exactly. */
export function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/**
 * A whole number such as seconds since 1970, in 8 bytes.
 *
 * @throws {RangeError} if it is none.
 */
export function writeWhole(writer: Writer, value: number): Writer {
  if (!isWhole(value)) {
    throw new RangeError(`Cannot write ${value}: not a whole number from 0`);
  }
  return writer.u64(BigInt(value));
}

/** Inverse of `writeWhole`. @throws {MalformedError} above 2^53 - 1. */
export function readWhole(reader: Reader): number {
  const value = reader.u64();
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new MalformedError("Cannot read a number: above 2^53 - 1");
  }
  return Number(value);
}
