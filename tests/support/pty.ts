const TIMEOUT_MS = 10_000;

/** How a program on a terminal ended. */
export interface PtyEnding {
  readonly code: number;
  /** All that the terminal was sent, with `\r\n` as line breaks. */
  readonly output: string;
}

/**
 * A program on a real terminal (a pseudo-terminal made by script(1), which every Debian has), with a
 * test at its keyboard.
 */
export class Pty {
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #output = "";

  /** Starts a command line of the shell. */
  constructor(commandLine: string, env: Record<string, string> = {}) {
    this.#child = new Deno.Command("script", {
      args: ["-qefc", commandLine, "/dev/null"],
      env: { SHELL: "/bin/sh", TERM: "xterm", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#keys = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  /** All that came so far. */
  get output(): string {
    return this.#output;
  }

  /** Presses keys. */
  async type(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  /**
   * Waits until `pattern` has come.
   *
   * @throws {Error} If it does not come within ten seconds.
   */
  async waitFor(pattern: RegExp): Promise<void> {
    const deadline = Date.now() + TIMEOUT_MS;
    while (!pattern.test(this.#output)) {
      if (Date.now() > deadline) {
        throw new Error(`No ${pattern} in ${JSON.stringify(this.#output)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /**
   * Waits for the end.
   *
   * @throws {Error} If it does not come within ten seconds.
   */
  async ending(): Promise<PtyEnding> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#kill();
    }, TIMEOUT_MS);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    await this.#reading;
    await this.#keys.close().catch(() => {}); // the reader went first
    if (late) throw new Error(`No end after ${JSON.stringify(this.#output)}`);
    return { code, output: this.#output };
  }

  /** Ends it, whatever it does. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.ending();
  }

  #kill(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const part of this.#child.stdout) {
      this.#output += decoder.decode(part, { stream: true });
    }
  }
}
