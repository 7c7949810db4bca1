import { UsageError } from "./errors.ts";
import { asksForHelp, hasFlag } from "./flags.ts";
import type { Command, Io } from "./io.ts";
import { nearest } from "./nearest.ts";

/** Commands by name, each loaded only when it is called. */
export type CommandTable = Readonly<
  Record<string, { readonly summary: string; load(): Promise<Command> }>
>;

/** How a group of commands is called. */
export interface Group {
  /** As typed, e.g. "sotto" or "sotto client". */
  readonly name: string;
  /** What stands above the list of commands in its help: one paragraph. */
  readonly about: string;
  /** What stands below it, e.g. examples. */
  readonly more?: string;
}

/**
 * Runs the command that `args` begin with, or shows help: of the group for no argument but `--help`, of
 * the command for `COMMAND ... --help` and `help COMMAND`.
 *
 * @returns The command's exit code.
 * @throws {UsageError} If there is no such command.
 * @throws {Error} Whatever the command throws.
 */
export async function dispatch(
  group: Group,
  table: CommandTable,
  args: readonly string[],
  io: Io,
): Promise<number> {
  const [name, ...rest] = args;
  if (name === "help") {
    return await dispatch(group, table, [...rest, "--help"], io);
  }
  if (name === "--help" || name === "-h") {
    await io.stdout.write(groupUsage(group, table));
    return 0;
  }
  if (name === undefined) {
    throw new UsageError("a command is missing", {
      hint: `see ${group.name} --help`,
    });
  }
  const entry = Object.hasOwn(table, name) ? table[name] : undefined;
  if (entry === undefined) throw unknownCommand(group, table, name);
  const command = await entry.load();
  // A group below this one (`sotto client send --help`) looks for itself what the help is wanted of.
  const inner = command.group === true && rest.some((arg) => arg[0] !== "-");
  if (asksForHelp(rest) && !inner) {
    await io.stdout.write(command.usage);
    return 0;
  }
  return await command.run(rest, io);
}

/** Whether the person wants stacks with the errors. */
export function wantsDebug(args: readonly string[]): boolean {
  return hasFlag(args, "--debug");
}

/** The help of a group: what it is about, then its commands. */
export function groupUsage(group: Group, table: CommandTable): string {
  const entries = Object.entries(table);
  const width = Math.max(...entries.map(([name]) => name.length));
  const list = entries.map(([name, { summary }]) =>
    `  ${name.padEnd(width)}  ${summary}\n`
  ).join("");
  const more = group.more === undefined ? "" : `\n${group.more.trim()}\n`;
  return `${group.about.trim()}\n\nUsage: ${group.name} COMMAND [ARGUMENT]...\n\nCommands:\n${list}${more}\n` +
    `${group.name} COMMAND --help tells more about one of them.\n`;
}

function unknownCommand(
  group: Group,
  table: CommandTable,
  name: string,
): UsageError {
  const near = nearest(name, Object.keys(table));
  return new UsageError(`unknown command ${group.name} ${name}`, {
    hint: near === undefined
      ? `see ${group.name} --help`
      : `did you mean ${group.name} ${near}?`,
  });
}
