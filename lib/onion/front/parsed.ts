/**
 * What a parser found at the front of some bytes, and how many of them it took. A parser gives
 * `undefined` as long as the bytes may be the beginning of what it looks for, and throws a
 * `MalformedError` as soon as they cannot be.
 */
export interface Parsed<T> {
  /** What was found. */
  readonly value: T;
  /** The bytes it took. */
  readonly length: number;
}
