import type { Bytes } from "../bytes/bytes.ts";
import { Writer } from "../bytes/writer.ts";
import type { Parameter, Verb } from "./command.ts";

/**
 * Encodes commands behind each other. Every method returns the writer, so that a message reads like
 * the line that it is: `new CommandWriter().set(USERNAME, name).verb(LOGIN).done()`.
 */
export class CommandWriter {
  readonly #writer: Writer;

  /** `capacity` is in bytes, to begin with; it grows. */
  constructor(capacity = 256) {
    this.#writer = new Writer(capacity);
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#writer.length;
  }

  /**
   * Sets a parameter; `undefined` leaves it unset.
   *
   * @throws {RangeError} if the value does not fit the parameter's shape.
   */
  set<V extends number | bigint | Bytes>(
    parameter: Parameter<V>,
    value: V | undefined,
  ): this {
    if (value === undefined) return this;
    this.#writer.u16(parameter.id);
    if (!(value instanceof Uint8Array)) this.#integer(parameter, value);
    else this.#bytes(parameter, value);
    return this;
  }

  /** Executes a verb with what has been set since the verb before it. */
  verb(verb: Verb): this {
    this.#writer.u16(verb.id);
    return this;
  }

  /** Bytes that are commands already. */
  append(commands: Bytes): this {
    this.#writer.bytes(commands);
    return this;
  }

  /** What has been written. */
  done(): Bytes {
    return this.#writer.done();
  }

  #integer(
    parameter: Parameter<number | bigint | Bytes>,
    value: number | bigint,
  ): void {
    this.#prefix(parameter.shape.prefix, value);
  }

  #bytes(parameter: Parameter<number | bigint | Bytes>, value: Bytes): void {
    const { fixed, prefix } = parameter.shape;
    if (fixed === 0) this.#prefix(prefix, value.length);
    else if (value.length !== fixed) {
      throw new RangeError(
        `Cannot set ${parameter.name}: ${value.length} bytes, not ${fixed}`,
      );
    }
    this.#writer.bytes(value);
  }

  #prefix(size: number, value: number | bigint): void {
    if (size === 1) this.#writer.u8(Number(value));
    else if (size === 2) this.#writer.u16(Number(value));
    else if (size === 4) this.#writer.u32(Number(value));
    else this.#writer.u64(BigInt(value));
  }
}
