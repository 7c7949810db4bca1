import type { Bytes } from "../bytes/bytes.ts";
import { MalformedError } from "../bytes/malformed_error.ts";
import type { AnyParameter, Parameter, Verb } from "./command.ts";

/** What a parameter can hold. */
export type Value = number | bigint | Bytes;

/** A verb together with the parameters that were set for it. */
export class Message {
  /** What is to be executed. */
  readonly verb: Verb;
  readonly #values: ReadonlyMap<AnyParameter, readonly Value[]>;

  /** `values` are those that were set, in order. */
  constructor(verb: Verb, values: ReadonlyMap<AnyParameter, readonly Value[]>) {
    this.verb = verb;
    this.#values = values;
  }

  /** The value that was set last, if any. */
  get<V extends Value>(parameter: Parameter<V>): V | undefined {
    return this.#values.get(parameter as AnyParameter)?.at(-1) as V | undefined;
  }

  /** The value that was set last. @throws {MalformedError} if none was. */
  need<V extends Value>(parameter: Parameter<V>): V {
    const value = this.get(parameter);
    if (value === undefined) {
      throw new MalformedError(
        `Cannot execute ${this.verb.name}: ${parameter.name} was not set`,
      );
    }
    return value;
  }

  /** Every value of a parameter that repeats, in order. */
  all<V extends Value>(parameter: Parameter<V>): readonly V[] {
    return (this.#values.get(parameter as AnyParameter) ?? []) as readonly V[];
  }

  /**
   * The message for people who debug: names and integers, but of byte strings only their lengths,
   * so that no key and no text gets into a log.
   */
  describe(): string {
    const parts = [...this.#values].map(([parameter, values]) => {
      const shown = values.map((value) =>
        value instanceof Uint8Array ? `${value.length} bytes` : String(value)
      );
      return `${parameter.name}=${shown.join("+")}`;
    });
    return [...parts, this.verb.name].join(" ");
  }
}
