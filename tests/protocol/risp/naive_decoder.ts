import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import type { AnyParameter, Verb } from "../../../lib/protocol/risp/command.ts";
import { TABLE } from "./table.ts";

/** A message as the naive decoder gives it: the verb, and the values of each parameter in order. */
export interface NaiveMessage {
  readonly verb: string;
  readonly values: Readonly<Record<string, readonly string[]>>;
}

/** All that a stream holds: its messages, and how many bytes its unknown commands took. */
export interface NaiveStream {
  readonly messages: readonly NaiveMessage[];
  readonly skipped: number;
  /** Whether it ends with a verb. */
  readonly complete: boolean;
}

const HEX_DIGITS_BY_RANGE = ["2", "4", "8", "16", "f16", "f32", "f64", ""]
  .concat("c2", "c4", "c8", "c16", "", "", "", "");

/**
 * Decodes a whole stream as text of hex digits, without limits: slow, plain, and with nothing in
 * common with the real decoder but the table of ranges.
 */
export function decodeNaively(bytes: Bytes): NaiveStream {
  const names = new Map<number, AnyParameter>(
    TABLE.parameters.map((each) => [each.id, each]),
  );
  const verbs = new Map<number, Verb>(TABLE.verbs.map((v) => [v.id, v]));
  const messages: NaiveMessage[] = [];
  let hex = bytes.toHex();
  let values: Record<string, string[]> = {};
  let taken = 0;
  let skipped = 0;
  for (;;) {
    const command = firstCommand(hex);
    if (command === undefined) break;
    const { id, value, length } = command;
    hex = hex.slice(length);
    if (value === undefined) {
      const verb = verbs.get(id);
      if (verb === undefined) skipped += 2 + taken;
      else messages.push({ verb: verb.name, values });
      values = {};
      taken = 0;
      continue;
    }
    const parameter = names.get(id);
    if (parameter === undefined) {
      skipped += length / 2;
      continue;
    }
    taken += parameter.repeats ? Math.max(length / 2, 256) : length / 2;
    const before = values[parameter.name] ?? [];
    values[parameter.name] = parameter.repeats ? [...before, value] : [value];
  }
  return { messages, skipped, complete: hex === "" && taken === 0 };
}

/** The first command of a stream in hex; `value` is missing from a verb. */
function firstCommand(
  hex: string,
): { id: number; value?: string; length: number } | undefined {
  if (hex.length < 4) return undefined;
  const id = parseInt(hex.slice(0, 4), 16);
  const range = HEX_DIGITS_BY_RANGE[parseInt(hex[0]!, 16)]!;
  if (range === "") return { id, length: 4 };
  const size = parseInt(range.replace(/^[fc]/, ""));
  if (range.startsWith("c")) {
    if (hex.length < 4 + size) return undefined;
    const digits = 2 * Number(BigInt("0x" + hex.slice(4, 4 + size)));
    const length = 4 + size + digits;
    if (hex.length < length) return undefined;
    return { id, value: hex.slice(4 + size, length), length };
  }
  const length = 4 + (range.startsWith("f") ? 2 * size : size);
  if (hex.length < length) return undefined;
  return { id, value: hex.slice(4, length), length };
}
