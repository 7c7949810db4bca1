import { writeAll } from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { LabError } from "./lab_error.ts";
import { Output } from "./output.ts";

/** Lines of a log that an error shows. */
const TAIL = 12;

/** A process of the lab, from its start to its end. */
export class Member {
  /** Which one, e.g. "relay-1". */
  readonly name: string;
  /** What it prints on either stream. */
  readonly output = new Output();
  /** Resolves with the exit code, or the signal that ended it, when all it has printed is read. */
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;
  #over = false;
  #stopping = false;

  /** All that it prints is written to `log`, which is closed at the end. */
  constructor(name: string, child: Deno.ChildProcess, log: Deno.FsFile) {
    this.name = name;
    this.#child = child;
    this.ended = this.#follow(log);
    // Whoever waits is told; nobody need wait.
    this.ended.catch(() => {});
  }

  /** The number of the process. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Whether it has not ended yet. */
  get running(): boolean {
    return !this.#over;
  }

  /** Whether it was told to end. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /**
   * Waits for a line in which `pattern` is found, printed already or, with `fresh`, from now on.
   *
   * @throws {LabError} `ERR_LAB_ENDED` if it ends without; `ERR_LAB_LATE` if `patience` milliseconds
   * pass without.
   */
  async says(
    pattern: RegExp,
    patience: number,
    fresh = false,
  ): Promise<RegExpExecArray> {
    const { output } = this;
    const line = fresh ? output.next(pattern) : output.find(pattern);
    const ended = this.ended.then((status) => {
      throw this.error("ERR_LAB_ENDED", `it ended with ${reasonOf(status)}`);
    });
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(this.error("ERR_LAB_LATE", `nothing in ${patience} ms`));
    }, patience);
    try {
      return await Promise.race([line, ended, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal; nothing happens if it has ended already. */
  kill(signal: Deno.Signal): void {
    this.#stopping ||= signal === "SIGTERM" || signal === "SIGKILL";
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Ends it: by SIGTERM, and by SIGKILL if it goes on for `patience` milliseconds. */
  async stop(patience: number): Promise<Deno.CommandStatus> {
    this.kill("SIGTERM");
    const timer = setTimeout(() => this.kill("SIGKILL"), patience);
    try {
      return await this.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The last lines that it has printed. */
  get tail(): string {
    return this.output.tail(TAIL);
  }

  /** Ends its standard input. */
  async closeInput(): Promise<void> {
    await this.#child.stdin.close().catch(
      () => {/* it is closed, or nobody reads there */},
    );
  }

  /** An error about this member, with the last lines that it has printed. */
  error(code: LabError["code"], seen: string, cause?: unknown): LabError {
    return new LabError(code, `Cannot use ${this.name}: ${seen}`, {
      cause,
      logs: new Map([[this.name, this.tail]]),
    });
  }

  async #follow(log: Deno.FsFile): Promise<Deno.CommandStatus> {
    using _closed = log;
    const keep = async (bytes: Bytes) => {
      try {
        await writeAll(log, bytes);
      } catch {
        // A log that cannot be written stops nobody.
      }
    };
    const { stdout, stderr, status } = this.#child;
    const [ending] = await Promise.all([
      status,
      this.output.take(stdout, keep),
      this.output.take(stderr, keep),
    ]);
    this.#over = true;
    await this.closeInput();
    return ending;
  }
}

/** How a process has ended, in words. */
export function reasonOf({ code, signal }: Deno.CommandStatus): string {
  return signal === null ? `code ${code}` : signal;
}
