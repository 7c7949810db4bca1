import { parseArgs } from "node:util";
import { UsageError } from "./errors.ts";
import { nearest } from "./nearest.ts";

/** One flag of a command: `boolean` stands alone, `string` takes a value (`--to bob`, `--to=bob`). */
export interface Flag {
  readonly type: "boolean" | "string";
  /** One letter, for `-h`. */
  readonly short?: string;
  /** A string flag that may come several times. */
  readonly multiple?: boolean;
}

/** Flags by their name without dashes. */
export type FlagTable = Readonly<Record<string, Flag>>;

/** Booleans are false and lists empty when not given; a string is undefined. The last one given counts. */
export type FlagValues<F extends FlagTable> = {
  readonly [K in keyof F]: F[K]["type"] extends "boolean" ? boolean
    : F[K] extends { multiple: true } ? readonly string[]
    : string | undefined;
};

/** What stands on the command line beside the flags. */
export interface Operands {
  /** How many there must be at least; 0 if not given. */
  readonly least?: number;
  /** How many there may be; as many as `least` if not given. */
  readonly most?: number;
  /** As in the usage text, e.g. "USERNAME [TEXT]"; used when there are too few or too many. */
  readonly shape?: string;
}

/** The flags that every command understands; spread them into its own table. */
export const COMMON_FLAGS = {
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  profile: { type: "string" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const satisfies FlagTable;

/**
 * Reads the command line of one command, strictly. After `--` everything is an operand; so is `-`.
 *
 * @example
 * ```ts ignore
 * const FLAGS = { ...COMMON_FLAGS, to: { type: "string" } } as const;
 * const { flags, operands } = parseFlags(args, FLAGS, { least: 1, shape: "TEXT" });
 * flags.to; // string | undefined
 * ```
 *
 * @throws {UsageError} For an unknown flag (naming the nearest), a value that is missing or too much,
 * and too few or too many operands.
 */
export function parseFlags<const F extends FlagTable>(
  args: readonly string[],
  table: F,
  operands: Operands = {},
): { flags: FlagValues<F>; operands: string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: table,
    strict: false, // our own checks below: node's messages cannot be told apart by code
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, boolean | string | string[] | undefined> = {};
  for (const [name, flag] of Object.entries(table)) {
    values[name] = flag.type === "boolean"
      ? false
      : flag.multiple
      ? []
      : undefined;
  }
  const given: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") given.push(token.value);
    if (token.kind !== "option") continue;
    const flag = Object.hasOwn(table, token.name)
      ? table[token.name]
      : undefined;
    if (flag === undefined) throw unknownFlag(token.rawName, table);
    if (flag.type === "boolean") {
      if (token.value !== undefined) {
        throw new UsageError(`${token.rawName} takes no value`);
      }
      values[token.name] = true;
      continue;
    }
    const value = checkedValue(token.rawName, token.value, token.inlineValue);
    const list = values[token.name];
    if (Array.isArray(list)) list.push(value);
    else values[token.name] = value;
  }
  checkOperands(given, operands);
  return { flags: values as FlagValues<F>, operands: given };
}

/** Whether `args` ask for help before a lone `--`. */
export function asksForHelp(args: readonly string[]): boolean {
  return hasFlag(args, "--help") || hasFlag(args, "-h");
}

/** Whether `flag`, as typed, stands in `args` before a lone `--`. */
export function hasFlag(args: readonly string[], flag: string): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes(flag);
}

function unknownFlag(rawName: string, table: FlagTable): UsageError {
  const names = Object.keys(table).map((name) => `--${name}`);
  const near = rawName.startsWith("--") ? nearest(rawName, names) : undefined;
  return new UsageError(
    `unknown flag ${rawName}`,
    near === undefined ? {} : { hint: `did you mean ${near}?` },
  );
}

function checkedValue(
  rawName: string,
  value: string | undefined,
  inline: boolean | undefined,
): string {
  if (value === undefined || (value === "" && !inline)) {
    throw new UsageError(`${rawName} needs a value`);
  }
  // `--to --json` is far more often a forgotten value than a person called "--json".
  if (!inline && value.length > 1 && value.startsWith("-")) {
    throw new UsageError(`${rawName} needs a value`, {
      hint: `if the value is ${value}, write ${rawName}=${value}`,
    });
  }
  return value;
}

function checkOperands(given: readonly string[], wanted: Operands): void {
  const least = wanted.least ?? 0;
  const most = wanted.most ?? least;
  const expected = wanted.shape === undefined
    ? {}
    : { hint: `expected: ${wanted.shape}` };
  if (given.length < least) {
    throw new UsageError("an argument is missing", expected);
  }
  if (given.length > most) {
    throw new UsageError(`unexpected argument ${given[most]}`, expected);
  }
}
