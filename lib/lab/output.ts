/** Lines that are remembered of a process. */
const REMEMBERED = 500;

interface Waiter {
  readonly pattern: RegExp;
  readonly found: (match: RegExpExecArray) => void;
}

/** The last lines that a process has printed, and who waits for one. */
export class Output {
  readonly #lines: string[] = [];
  readonly #waiters = new Set<Waiter>();

  /** What it has printed so far; the last 500 lines of it. */
  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }

  /** The last `count` lines. */
  tail(count: number): string {
    return this.#lines.slice(-count).map((line) => `${line}\n`).join("");
  }

  /** Resolves with the first line, printed already or yet to come, in which `pattern` is found. */
  find(pattern: RegExp): Promise<RegExpExecArray> {
    for (const line of this.#lines) {
      const match = pattern.exec(line);
      if (match !== null) return Promise.resolve(match);
    }
    return this.next(pattern);
  }

  /** The same for lines that come from now on. */
  next(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((found) => this.#waiters.add({ pattern, found }));
  }

  /** Takes all lines of a stream until its end, and hands the bytes on as they come. */
  async take(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    keep: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
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
    this.#lines.push(line);
    if (this.#lines.length > REMEMBERED) this.#lines.shift();
    for (const waiter of this.#waiters) {
      const match = waiter.pattern.exec(line);
      if (match === null) continue;
      this.#waiters.delete(waiter);
      waiter.found(match);
    }
  }
}
