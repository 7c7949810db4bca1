import type { Bytes } from "../protocol/mod.ts";

/** Lines that are remembered of a process: the first, which say where it listens, and the last. */
const FIRST = 20;
const LAST = 500;

interface Waiter {
  readonly pattern: RegExp;
  readonly found: (match: RegExpExecArray) => void;
}

/** The lines that a process has printed, the first 20 and last 500 of them, and who waits for one. */
export class Output {
  readonly #first: string[] = [];
  readonly #last: string[] = [];
  readonly #waiters = new Set<Waiter>();

  /** What it has printed so far. */
  get text(): string {
    return [...this.#first, ...this.#last].map((line) => `${line}\n`).join("");
  }

  /** The last `count` lines. */
  tail(count: number): string {
    const lines = [...this.#first, ...this.#last].slice(-count);
    return lines.map((line) => `${line}\n`).join("");
  }

  /** Resolves with the first line, printed already or yet to come, in which `pattern` is found. */
  find(pattern: RegExp): Promise<RegExpExecArray> {
    for (const line of [...this.#first, ...this.#last]) {
      const match = pattern.exec(line);
      if (match !== null) return Promise.resolve(match);
    }
    return this.next(pattern);
  }

  /** The same for lines that come from now on. */
  next(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((found) => this.#waiters.add({ pattern, found }));
  }

  /** The last line so far in which `pattern` is found. */
  latest(pattern: RegExp): RegExpExecArray | undefined {
    const lines = [...this.#first, ...this.#last];
    const line = lines.findLast((each) => pattern.test(each));
    return line === undefined ? undefined : pattern.exec(line) ?? undefined;
  }

  /** Takes all lines of a stream until its end, and hands the bytes on as they come. */
  async take(
    stream: ReadableStream<Bytes>,
    keep: (bytes: Bytes) => Promise<void>,
  ): Promise<void> {
    const decoder = new TextDecoder();
    let open = "";
    for await (const bytes of stream) {
      const lines = (open + decoder.decode(bytes, { stream: true }))
        .split("\n");
      open = lines.pop()!;
      for (const line of lines) this.#add(line);
      await keep(bytes);
    }
    if (open !== "") this.#add(open);
  }

  #add(line: string): void {
    if (this.#first.length < FIRST) this.#first.push(line);
    else if (this.#last.push(line) > LAST) this.#last.shift();
    for (const waiter of this.#waiters) {
      const match = waiter.pattern.exec(line);
      if (match === null) continue;
      this.#waiters.delete(waiter);
      waiter.found(match);
    }
  }
}
