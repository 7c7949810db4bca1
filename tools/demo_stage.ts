/**
 * The processes of the demo and the directory in which they live. Nothing of either outlives it.
 *
 * @module
 */

const MAIN = new URL("../main.ts", import.meta.url).pathname;
/** Nothing in the demo takes so long, in milliseconds. */
const PATIENCE = 60_000;
/** How long a process may take to end by itself, in milliseconds. */
const GRACE = 10_000;

/** How a process has ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as they came. */
  readonly output: string;
}

/** A temporary directory with processes. */
export class Stage {
  readonly folder: string;
  readonly #running = new Set<Running>();
  #closed = false;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Stage> {
    return new Stage(await Deno.makeTempDir({ prefix: "sotto-demo-" }));
  }

  /** Runs `sotto` on `who`'s machine to its end. */
  async sotto(who: string, args: readonly string[]): Promise<Ended> {
    const running = this.start(who, args);
    return await running.ended();
  }

  /** Starts `sotto` on `who`'s machine. With `log`, standard error is added to that file. */
  start(who: string, args: readonly string[], log?: string): Running {
    const command = [Deno.execPath(), "run", "--quiet", "--no-prompt", "-A"];
    return this.#start([...command, MAIN, ...args], log, {
      // What a machine of its own would be: nothing of the person who runs the demo is touched.
      SOTTO_HOME: `${this.folder}/${who}`,
      SOTTO_PROFILE: "",
      SOTTO_PASSPHRASE_FILE: "",
      DENO_NO_UPDATE_CHECK: "1",
    });
  }

  /** Runs any other program to its end. */
  async run(command: readonly string[]): Promise<Ended> {
    return await this.#start(command, undefined, {}).ended();
  }

  /** Ends every process and removes the directory. May be called again. */
  async close(): Promise<void> {
    this.#closed = true;
    // By SIGTERM first: a lab takes its members with it.
    await Promise.all(Array.from(this.#running, async (each) => {
      each.kill("SIGTERM");
      const timer = setTimeout(() => each.kill("SIGKILL"), GRACE);
      await each.ended().catch(() => {});
      clearTimeout(timer);
    }));
    await Deno.remove(this.folder, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }

  #start(
    [program = "", ...args]: readonly string[],
    log: string | undefined,
    env: Record<string, string>,
  ): Running {
    if (this.#closed) throw new Error("Cannot go on: the demo was ended");
    const child = new Deno.Command(program, {
      args,
      env,
      cwd: this.folder,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const logFile = log === undefined ? undefined : `${this.folder}/${log}`;
    const running = new Running(child, logFile);
    this.#running.add(running);
    return running;
  }
}

/** A process that goes on. */
export class Running {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<unknown>;
  #stdout = "";
  #stderr = "";
  #output = "";
  #over = false;

  constructor(child: Deno.ChildProcess, log: string | undefined) {
    this.#child = child;
    this.#input = child.stdin.getWriter();
    this.#reading = Promise.all([
      collect(child.stdout, (text) => {
        this.#stdout += text;
        this.#output += text;
      }),
      collect(child.stderr, async (text) => {
        this.#stderr += text;
        this.#output += text;
        if (log !== undefined) {
          await Deno.writeTextFile(log, text, { append: true });
        }
      }),
    ]).then(() => this.#over = true);
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** What it has printed on standard output so far. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Types a line. */
  async type(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }

  /**
   * Waits until standard output holds something like `pattern`.
   *
   * @throws {Error} if the process ends, or a minute passes, without it.
   */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const over = this.#over;
      const found = pattern.exec(this.#stdout);
      if (found !== null) return found;
      if (over || Date.now() > deadline) {
        throw new Error(
          `Cannot go on: no ${pattern} in\n${this.#output}`,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Sends a signal; nothing happens if it has ended already. */
  kill(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /**
   * Ends its input and waits for its end.
   *
   * @throws {Error} if a minute passes without it.
   */
  async ended(): Promise<Ended> {
    await this.#input.close().catch(() => {/* it has ended, or was told so */});
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.kill("SIGKILL");
      late.reject(new Error(`Cannot go on: no end after\n${this.#output}`));
    }, PATIENCE);
    try {
      const ended = Promise.all([this.#child.status, this.#reading]);
      const [{ code }] = await Promise.race([ended, late.promise]);
      return {
        code,
        stdout: this.#stdout,
        stderr: this.#stderr,
        output: this.#output,
      };
    } finally {
      clearTimeout(timer);
    }
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => unknown,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const part of stream) {
    await take(decoder.decode(part, { stream: true }));
  }
}
