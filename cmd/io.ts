/**
 * What a command may touch of the world, apart from its arguments and the file system. A command
 * takes all of it through one {@linkcode Io}, so that tests run it in process and read what it printed.
 *
 * `systemIo()` in `system_io.ts` is the real process; `testIo()` in `tests/support/test_io.ts` is the
 * stand-in. Nothing here exits: `main.ts` alone does.
 *
 * @module
 */
import type { Bytes } from "../lib/protocol/mod.ts";

/** Bytes that come in: standard input, or a list of chunks in a test. */
export interface Input {
  /** Whether a person types here. */
  readonly isTerminal: boolean;
  /** The next bytes in the order they came, or null at the end; rejects when the run is interrupted. */
  read(): Promise<Bytes | null>;
  /**
   * On: keys arrive one by one and are not echoed, Ctrl-C still interrupts. Off: lines again. Without a
   * terminal it does nothing. Who switches it on switches it off in a `finally`.
   */
  setRaw(on: boolean): void;
}

/** Text or bytes that go out: standard output or standard error. */
export interface Output {
  /** Whether a person reads here: only then are progress, colours and cursor moves allowed. */
  readonly isTerminal: boolean;
  /** The width in character cells, now; 80 when nobody knows. */
  readonly columns: number;
  /** The height in rows, now; 24 when nobody knows. */
  readonly rows: number;
  /**
   * Writes all of it.
   *
   * @throws {OutputClosedError} If the reader has gone, as in `sotto ... | head -1`.
   */
  write(data: string | Uint8Array): Promise<void>;
}

/** Everything a command may touch. */
export interface Io {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** The value of an environment variable; undefined when it is unset or empty. */
  env(name: string): string | undefined;
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
  /**
   * Aborted by the first Ctrl-C, SIGTERM or SIGHUP, so that the command can close what it opened; a
   * second one ends the process at once. A command that never looks at it is ended by the first.
   */
  readonly signal: AbortSignal;
  /**
   * Calls `listener` whenever the size of the terminal changed or the process goes on after a stop
   * (Ctrl-Z), which leaves raw mode. The result ends it.
   */
  onTerminalChange(listener: () => void): () => void;
  /** The next line of standard input without its line break, or null at the end. At most 1 MiB. */
  readLine(): Promise<string | null>;
  /** Asks on standard error and reads a line; null at the end of input or when nobody is there to ask. */
  prompt(question: string): Promise<string | null>;
  /** The same, without showing what is typed. */
  promptSecret(question: string): Promise<string | null>;
}

/** Whoever read our output has closed it. Not a failure: the run ends without a word. */
export class OutputClosedError extends Error {
  override readonly name = "OutputClosedError";
  readonly code = "ERR_OUTPUT_CLOSED";

  constructor(options?: ErrorOptions) {
    super("Cannot write: the output was closed", options);
  }
}

/** The person pressed Ctrl-C, or the process was asked to end, while something waited for input. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  readonly code = "ERR_INTERRUPTED";

  constructor() {
    super("Interrupted");
  }
}

/** What a command file offers: `usage` for `--help`, `run` for the rest. */
export interface Command {
  /** Help as written by hand, with examples, ending in a line break. */
  readonly usage: string;
  /** True when it hands on to commands of its own, so that `GROUP COMMAND --help` is theirs to answer. */
  readonly group?: boolean;
  /**
   * Does the work.
   *
   * @returns The exit code: 0 done, 1 failed (already said why).
   * @throws {Error} Anything; `report()` in `errors.ts` makes the message and the exit code of it.
   */
  run(args: string[], io: Io): Promise<number>;
}
