import { concat, utf8 } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";

/** How a process ended and all that it printed. */
export interface Ending {
  readonly code: number;
  readonly stdout: Bytes;
  readonly stderr: Bytes;
}

/** A process that goes on while the test does something else. Standard input is empty. */
export class Background {
  readonly #child: Deno.ChildProcess;
  readonly #stdout: Collected;
  readonly #stderr: Collected;

  /** Starts `program`; its standard streams are read all the time, so that it never waits for us. */
  constructor(program: string, options: Deno.CommandOptions) {
    this.#child = new Deno.Command(program, {
      ...options,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stdout = new Collected(this.#child.stdout);
    this.#stderr = new Collected(this.#child.stderr);
  }

  /** The process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** What it printed so far. */
  get output(): { stdout: Bytes; stderr: Bytes } {
    return { stdout: utf8(this.#stdout.text), stderr: utf8(this.#stderr.text) };
  }

  /**
   * The address in the first line that speaks of listening, on either stream: `sotto://...` or
   * `host:port`.
   *
   * @throws {Error} If the process ends, or `ms` milliseconds pass, without one.
   */
  async address(ms: number): Promise<string> {
    const pattern = /\blistening\b.*?(sotto:\/\/[^\s"]+|[\w.[\]:-]*\w\]?:\d+)/;
    const found = await this.waitFor(pattern, ms);
    return found[1]!;
  }

  /**
   * Waits until one of the streams holds something like `pattern`.
   *
   * @throws {Error} If the process ends, or `ms` milliseconds pass, without it.
   */
  async waitFor(pattern: RegExp, ms: number): Promise<RegExpExecArray> {
    const deadline = Date.now() + ms;
    for (;;) {
      const ended = this.#stdout.ended && this.#stderr.ended;
      const found = pattern.exec(this.#stdout.text) ??
        pattern.exec(this.#stderr.text);
      if (found !== null) return found;
      if (ended || Date.now() > deadline) {
        throw new Error(
          `${ended ? "It ended" : "Time passed"} without ${pattern}:\n` +
            this.#stdout.text + this.#stderr.text,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Sends `signal` and waits for the end. */
  async stop(signal: Deno.Signal): Promise<Ending> {
    this.kill(signal);
    return await this.ending();
  }

  /** Waits for the end. */
  async ending(): Promise<Ending> {
    const [{ code }, stdout, stderr] = await Promise.all([
      this.#child.status,
      this.#stdout.all,
      this.#stderr.all,
    ]);
    return { code, stdout, stderr };
  }

  /** Sends `signal`, by default the one that cannot be caught; nothing happens if it is gone. */
  kill(signal: Deno.Signal = "SIGKILL"): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended already
    }
  }
}

/** What a stream has brought so far. */
class Collected {
  readonly all: Promise<Bytes>;
  text = "";
  ended = false;

  constructor(stream: ReadableStream<Bytes>) {
    this.all = this.#collect(stream);
  }

  async #collect(stream: ReadableStream<Bytes>): Promise<Bytes> {
    const parts: Bytes[] = [];
    const decoder = new TextDecoder();
    for await (const part of stream) {
      parts.push(part);
      this.text += decoder.decode(part, { stream: true });
    }
    this.ended = true;
    return concat(...parts);
  }
}
