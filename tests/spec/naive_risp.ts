/**
 * RISP, written from SPEC.md §2: the whole stream is taken at once, and every rule stands where the
 * text has it.
 *
 * @module
 */
import { join, toBig, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import type { SpecTable } from "./naive_tables.ts";

/** A value of a parameter. */
export type Value = number | bigint | Octets;

/** What stands behind an id (§2.1): its kind and its size, of the integer or of the length field. */
type Range = ["verb", 0] | ["integer" | "fixed" | "counted", number];

/** The table of §2.1. */
function rangeOf(id: number): Range {
  if (id <= 0x0fff) return ["integer", 1];
  if (id <= 0x1fff) return ["integer", 2];
  if (id <= 0x2fff) return ["integer", 4];
  if (id <= 0x3fff) return ["integer", 8];
  if (id <= 0x4fff) return ["fixed", 16];
  if (id <= 0x5fff) return ["fixed", 32];
  if (id <= 0x6fff) return ["fixed", 64];
  if (id <= 0x7fff) return ["verb", 0];
  if (id <= 0x8fff) return ["counted", 1];
  if (id <= 0x9fff) return ["counted", 2];
  if (id <= 0xafff) return ["counted", 4];
  if (id <= 0xbfff) return ["counted", 8];
  return ["verb", 0];
}

/** Encodes one command by its id; a verb has no value. */
export function encodeId(id: number, value?: Value): Octets {
  const [kind, size] = rangeOf(id);
  const head = unsigned(2, id);
  if (kind === "verb") return head;
  if (!(value instanceof Uint8Array)) return join(head, unsigned(size, value!));
  if (kind === "fixed" && value.length !== size) throw new Error("wrong size");
  if (kind === "fixed") return join(head, value);
  return join(head, unsigned(size, value.length), value);
}

/** Encodes commands by name: `[name, value]` sets a parameter, `name` is a verb. */
export function encode(
  table: SpecTable,
  ...commands: readonly (string | readonly [string, Value])[]
): Octets {
  return join(...commands.map((command) => {
    const [name, value] = typeof command === "string" ? [command] : command;
    return encodeId(table.get(name)!.id, value);
  }));
}

/** A message: the verb's name and every parameter's values, by name; where it ends in the stream. */
export interface NaiveMessage {
  readonly verb: string;
  readonly values: ReadonlyMap<string, readonly Value[]>;
  readonly end: number;
}

/** What a stream holds. */
export interface Decoded {
  readonly messages: readonly NaiveMessage[];
  /** `cut`: it ends inside a command or before a verb. */
  readonly end: "whole" | "cut" | "malformed";
}

/** Decodes a stream as far as it goes (§2.3, §2.4). */
export function decode(
  stream: Uint8Array,
  table: SpecTable,
  limits: { readonly message: number; readonly skipped: number },
): Decoded {
  const byId = new Map([...table.values()].map((each) => [each.id, each]));
  const messages: NaiveMessage[] = [];
  let values = new Map<string, Value[]>();
  let counted = 0;
  let skipped = 0;
  let at = 0;
  const left = () => stream.length - at;
  while (left() >= 2) {
    const id = Number(toBig(stream.slice(at, at + 2)));
    const [kind, size] = rangeOf(id);
    const known = byId.get(id);
    if (kind === "verb") {
      at += 2;
      if (known !== undefined) {
        messages.push({ verb: known.name, values, end: at });
      } else skipped += 2 + counted;
      if (skipped > limits.skipped) return { messages, end: "malformed" };
      values = new Map();
      counted = 0;
      continue;
    }
    const field = kind === "fixed" ? 0 : size;
    if (left() < 2 + field) return { messages, end: "cut" };
    const integer = toBig(stream.slice(at + 2, at + 2 + field));
    const length = kind === "integer"
      ? 0
      : kind === "fixed"
      ? size
      : Number(integer);
    const cost = 2 + field + length;
    if (known === undefined) skipped += cost;
    else counted += known.repeats ? Math.max(cost, 256) : cost;
    if (skipped > limits.skipped || counted > limits.message) {
      return { messages, end: "malformed" };
    }
    if (left() < cost) return { messages, end: "cut" };
    const start = at + 2 + field;
    at += cost;
    if (known === undefined) continue;
    const value: Value = kind === "integer"
      ? size === 8 ? integer : Number(integer)
      : new Uint8Array(stream.slice(start, at));
    const before = known.repeats ? values.get(known.name) ?? [] : [];
    values.set(known.name, [...before, value]);
  }
  const whole = left() === 0 && values.size === 0;
  return { messages, end: whole ? "whole" : "cut" };
}
