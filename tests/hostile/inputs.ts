import { ACCOUNT } from "../../lib/account/mod.ts";
import { MAILBOX } from "../../lib/mailbox/mod.ts";
import { concat, GREETING } from "../../lib/protocol/mod.ts";
import type { AnyParameter, Bytes } from "../../lib/protocol/mod.ts";
import type { Random } from "./random.ts";

/** The inputs of one attack: what is sent, one after the other. */
export type Generator = (random: Random) => Bytes;

const TABLES = [GREETING, ACCOUNT, MAILBOX];
const PARAMETERS = [...new Set(TABLES.flatMap((t) => t.parameters))];
const VERBS = [...new Set(TABLES.flatMap((t) => t.verbs))];

/** Values that are worth trying in many places, by length. */
export interface Dictionary {
  readonly words: readonly Bytes[];
  /** Verbs that would spoil the attack for those that follow. */
  readonly without: ReadonlySet<string>;
  /** Whether every length is that of what follows. */
  readonly honest: boolean;
}

/** Nothing but random bytes. */
export function noise(random: Random): Bytes {
  return random.bytes(random.length(2_000));
}

/** `bytes` changed in one to four places: turned, cut, doubled, moved, filled. */
export function mutated(random: Random, bytes: Bytes): Bytes {
  let result = bytes.slice();
  for (let i = 0; i <= random.below(4); i++) {
    const at = random.below(result.length + 1);
    const end = Math.min(result.length, at + random.length(40));
    const [head, part, tail] = [
      result.slice(0, at),
      result.slice(at, end),
      result.slice(end),
    ];
    switch (random.below(7)) {
      case 0:
        if (at < result.length) result[at]! ^= 1 << random.below(8);
        break;
      case 1:
        if (at < result.length) {
          result[at] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
        }
        break;
      case 2:
        result = head;
        break;
      case 3:
        result = concat(head, tail);
        break;
      case 4:
        result = concat(head, part, part, tail);
        break;
      case 5:
        result = concat(head, random.bytes(random.length(60)), tail);
        break;
      default:
        result = concat(tail, head, part);
    }
  }
  return result;
}

/** A stream of commands, most of them known, most of them well formed, with a verb at the end. */
export function commands(random: Random, dictionary: Dictionary): Bytes {
  const parts: Bytes[] = [];
  const verbs = VERBS.filter(({ name }) => !dictionary.without.has(name));
  for (let i = random.length(12); i >= 0; i--) {
    if (random.once(8)) parts.push(unknown(random));
    else parts.push(parameter(random, random.pick(PARAMETERS), dictionary));
    if (random.once(6)) parts.push(id(random.pick(verbs).id));
  }
  parts.push(id(random.pick(verbs).id));
  return concat(...parts);
}

/** A command that nobody has named, whole. */
function unknown(random: Random): Bytes {
  const command = random.below(0x10000);
  const size = [1, 2, 4, 8, 16, 32, 64, 0][command >> 12];
  if (size !== undefined) return concat(id(command), random.bytes(size));
  if (command >= 0xc000) return id(command);
  const length = random.below(30);
  const prefix = new Uint8Array([1, 2, 4, 8][(command >> 12) - 8]!);
  prefix[prefix.length - 1] = length;
  return concat(id(command), prefix, random.bytes(length));
}

function parameter(
  random: Random,
  { id: number, shape }: AnyParameter,
  dictionary: Dictionary,
): Bytes {
  const { prefix, counted, fixed } = shape;
  if (!counted) {
    const value = random.once(2) ? random.bytes(prefix + fixed) : small(
      random,
      prefix + fixed,
    );
    return concat(id(number), value);
  }
  const longest = prefix === 1 ? 255 : 2_000;
  const value = random.once(3)
    ? random.bytes(random.length(longest))
    : random.pick(dictionary.words).subarray(0, longest);
  const length = new Uint8Array(prefix);
  const view = new DataView(length.buffer);
  const told = !dictionary.honest && random.once(50)
    ? random.u32()
    : value.length;
  if (prefix === 1) view.setUint8(0, told & 0xff);
  else if (prefix === 2) view.setUint16(0, told & 0xffff);
  else view.setUint32(prefix - 4, told);
  return concat(id(number), length, value);
}

/** Bytes of an integer that is small, or at an edge. */
function small(random: Random, size: number): Bytes {
  const value = new Uint8Array(size);
  if (random.once(3)) value.fill(0xff);
  else if (size > 0) value[size - 1] = random.below(4);
  return value;
}

function id(number: number): Bytes {
  return new Uint8Array([number >> 8, number & 0xff]);
}
