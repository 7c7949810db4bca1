/** How the program is called. */
export interface Program {
  /** The executable and the arguments before those of the command. */
  readonly command: readonly string[];
  /** What its environment must have beside that of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts the program as a process of its own, with pipes for its standard streams.
 *
 * @param name whom of the lab it is started as, e.g. "relay-1".
 * @param args what is said to it.
 * @param env what is set in its environment.
 */
export type Launch = (
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => Deno.ChildProcess;

/**
 * Launches `program`.
 *
 * @param prefix what stands before the command of a member, e.g. `ip netns exec NAME`; nothing if not
 * given.
 */
export function launchProgram(
  program: Program,
  prefix: (name: string) => readonly string[] = () => [],
): Launch {
  return (name, args, env) => {
    const [command = "", ...rest] = [
      ...prefix(name),
      ...program.command,
      ...args,
    ];
    return new Deno.Command(command, {
      args: rest,
      env: { ...program.env, ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  };
}
