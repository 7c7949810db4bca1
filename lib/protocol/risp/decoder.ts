import type { Bytes } from "../bytes/bytes.ts";
import { MalformedError } from "../bytes/malformed_error.ts";
import type { AnyParameter } from "./command.ts";
import { shapeOf } from "./command.ts";
import { Message } from "./message.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** What a decoder accepts before it gives up on a peer. */
export interface DecoderLimits {
  /**
   * Bytes of all parameters set for one verb, ids and lengths included. A value of a parameter that
   * repeats counts as 256 bytes at least.
   */
  readonly messageBytes: number;
  /** Bytes of commands that nobody here knows, over the life of the decoder. */
  readonly skippedBytes: number;
}

/**
 * What a value of a parameter that repeats counts at least, in bytes: each is kept as an object of
 * its own, so that a stream of empty ones would take a hundred times the memory of its bytes.
 */
export const REPEATED_VALUE_BYTES = 256;

type Value = number | bigint | Bytes;

/**
 * Decodes a flat stream of commands, however it was cut into pieces. `push` gives it bytes, `next`
 * takes messages out, and answers `undefined` when it needs more.
 *
 * Nothing is allocated from a length that a peer sent before that length was held against the
 * limits. Unknown parameters are skipped as they arrive, without being stored; an unknown verb
 * takes its parameters with it.
 */
export class Decoder {
  readonly #vocabulary: Vocabulary;
  readonly #limits: DecoderLimits;
  #bytes: Bytes = new Uint8Array(0);
  #at = 0;
  #values = new Map<AnyParameter, Value[]>();
  #messageBytes = 0;
  #skippedBytes = 0;
  /** Bytes of an unknown command that are still to come. */
  #skipping = 0;

  /** `vocabulary` holds the commands that are known. */
  constructor(vocabulary: Vocabulary, limits: DecoderLimits) {
    this.#vocabulary = vocabulary;
    this.#limits = limits;
  }

  /** Adds bytes to what is to be decoded. They must not be changed afterwards. */
  push(bytes: Bytes): void {
    if (this.#at === this.#bytes.length) this.#bytes = bytes;
    else {
      const left = this.#bytes.subarray(this.#at);
      const joined = new Uint8Array(left.length + bytes.length);
      joined.set(left);
      joined.set(bytes, left.length);
      this.#bytes = joined;
    }
    this.#at = 0;
  }

  /**
   * The next message, or `undefined` when more bytes are needed.
   *
   * @throws {MalformedError} if a limit is passed; the decoder is of no use afterwards.
   */
  next(): Message | undefined {
    for (;;) {
      const progress = this.#skipping > 0 ? this.#skip() : this.#command();
      if (progress instanceof Message) return progress;
      if (!progress) return undefined;
    }
  }

  /** Takes out the bytes that no command has used yet. */
  remainder(): Bytes {
    const rest = this.#bytes.slice(this.#at);
    this.#at = this.#bytes.length;
    return rest;
  }

  /**
   * Whether the stream may end here: nothing half read, and no parameter waiting for its verb.
   */
  get complete(): boolean {
    return this.#at === this.#bytes.length && this.#skipping === 0 &&
      this.#values.size === 0;
  }

  /** One command. `false`: more bytes are needed. */
  #command(): Message | boolean {
    const left = this.#bytes.length - this.#at;
    if (left < 2) return false;
    const id = this.#unsigned(this.#at, 2);
    const { kind, prefix, counted, fixed } = shapeOf(id);
    if (kind === "verb") {
      this.#at += 2;
      return this.#verb(id);
    }
    if (left < 2 + prefix) return false;
    const head = 2 + prefix;
    const length = counted ? this.#length(this.#at + 2, prefix) : fixed;
    const parameter = this.#vocabulary.parameter(id);
    if (parameter === undefined) {
      this.#charge(head + length);
      this.#at += head;
      this.#skipping = length;
      return true;
    }
    const cost = parameter.repeats
      ? Math.max(head + length, REPEATED_VALUE_BYTES)
      : head + length;
    if (this.#messageBytes + cost > this.#limits.messageBytes) {
      throw new MalformedError(
        `Cannot take ${parameter.name}: more than ${this.#limits.messageBytes} bytes for one command`,
      );
    }
    if (left < head + length) return false;
    const value = counted || fixed > 0
      ? this.#bytes.slice(this.#at + head, this.#at + head + length)
      : prefix === 8
      ? this.#long(this.#at + 2)
      : this.#unsigned(this.#at + 2, prefix);
    this.#set(parameter, value);
    this.#at += head + length;
    this.#messageBytes += cost;
    return true;
  }

  #set(parameter: AnyParameter, value: Value): void {
    const values = this.#values.get(parameter);
    if (values === undefined) this.#values.set(parameter, [value]);
    else if (parameter.repeats) values.push(value);
    else values[0] = value;
  }

  #verb(id: number): Message | boolean {
    const verb = this.#vocabulary.verb(id);
    const values = this.#values;
    this.#values = new Map();
    if (verb === undefined) this.#charge(2 + this.#messageBytes);
    this.#messageBytes = 0;
    return verb === undefined ? true : new Message(verb, values);
  }

  #skip(): boolean {
    const step = Math.min(this.#skipping, this.#bytes.length - this.#at);
    this.#at += step;
    this.#skipping -= step;
    return this.#skipping === 0;
  }

  #charge(bytes: number): void {
    this.#skippedBytes += bytes;
    if (this.#skippedBytes > this.#limits.skippedBytes) {
      throw new MalformedError(
        `Cannot skip unknown commands: more than ${this.#limits.skippedBytes} bytes of them`,
      );
    }
  }

  /** A length; one beyond 2^53 is as good as infinite. */
  #length(at: number, size: number): number {
    return size === 8 ? Number(this.#long(at)) : this.#unsigned(at, size);
  }

  #unsigned(at: number, size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#bytes[at + i]!;
    return value;
  }

  #long(at: number): bigint {
    return BigInt(this.#unsigned(at, 4)) << 32n |
      BigInt(this.#unsigned(at + 4, 4));
  }
}
