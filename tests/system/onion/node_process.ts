import { Background } from "../../support/background.ts";
import type { Ending } from "../../support/background.ts";
import { sourceProgram } from "../../support/program.ts";
import { RUNTIME_FLAGS } from "../../../tools/launcher.ts";
import type { Machine } from "./machine.ts";

const START_MS = 90_000;

/** A `sotto` command that goes on, on some machine; it can be killed and started again as it was. */
export class NodeProcess {
  readonly machine: Machine;
  readonly #home: string;
  readonly #args: readonly string[];
  #process: Background | undefined;

  constructor(machine: Machine, home: string, args: readonly string[]) {
    this.machine = machine;
    this.#home = home;
    this.#args = args;
  }

  /** Starts it; resolves when it says where it listens. */
  async start(): Promise<void> {
    this.#process = await startSotto(this.machine, this.#home, this.#args);
    await this.#process.waitFor(/^listening on \S+$/m, START_MS);
  }

  /** Ends it, by default as a power switch would. */
  async stop(signal: Deno.Signal = "SIGKILL"): Promise<Ending | undefined> {
    const process = this.#process;
    this.#process = undefined;
    return await process?.stop(signal);
  }

  /** Sends a signal, and does not wait for anything. */
  signal(signal: Deno.Signal): void {
    this.#running.kill(signal);
  }

  /** Waits until something like `pattern` stands on one of its streams. */
  async waitFor(pattern: RegExp, ms = START_MS): Promise<RegExpExecArray> {
    return await this.#running.waitFor(pattern, ms);
  }

  /** What it has printed on standard error. */
  get log(): string {
    return new TextDecoder().decode(this.#running.output.stderr);
  }

  /** What the operating system counts for it. */
  async condition(): Promise<Condition> {
    const folder = `/proc/${this.#running.pid}`;
    // Read by other programs: tests may not look into /proc themselves.
    const status = await printed("cat", `${folder}/status`);
    const descriptors =
      (await printed("ls", `${folder}/fd`)).split("\n").length;
    const bytes = (name: string) =>
      1_024 *
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]);
    return { resident: bytes("VmRSS"), peak: bytes("VmHWM"), descriptors };
  }

  get #running(): Background {
    if (this.#process === undefined) throw new Error("It does not run");
    return this.#process;
  }
}

/** How a process is. */
export interface Condition {
  /** Memory in bytes. */
  readonly resident: number;
  /** The most that it ever was. */
  readonly peak: number;
  /** Open files and sockets. */
  readonly descriptors: number;
}

async function printed(program: string, path: string): Promise<string> {
  const { success, stdout } = await new Deno.Command(program, {
    args: [path],
  }).output();
  if (!success) throw new Error(`Cannot read ${path}`);
  return new TextDecoder().decode(stdout).trim();
}

/** Starts a `sotto` command on a machine, with `home` for all that it keeps. */
export async function startSotto(
  machine: Machine,
  home: string,
  args: readonly string[],
): Promise<Background> {
  const { command: [deno = "", run = "", ...command], env } =
    await sourceProgram();
  // With what the built file gives to its runtime, as some tests measure memory.
  const program = [deno, run, ...RUNTIME_FLAGS, ...command];
  return startOn(machine, [...program, ...args], { ...env, SOTTO_HOME: home });
}

/** Starts a script of `children/` on a machine. */
export async function startChild(
  machine: Machine,
  name: string,
  args: readonly string[],
): Promise<Background> {
  const { command, env } = await sourceProgram();
  const path = new URL(`children/${name}.ts`, import.meta.url).pathname;
  return startOn(machine, [...command.slice(0, -1), path, ...args], env);
}

/** Starts any program on a machine, with nothing but `env` and PATH in its environment. */
export function startOn(
  machine: Machine,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Background {
  const [program = "", ...args] = [...machine.enter, ...command];
  return new Background(program, {
    args,
    env: {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      HOME: "/nonexistent",
      ...env,
    },
    clearEnv: true,
  });
}
