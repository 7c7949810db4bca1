/**
 * A stand-in for the process, so that tests run a command in process and read what it printed.
 *
 * @module
 */
import { InputReader } from "../../cmd/input_reader.ts";
import type { Input, Io, Output } from "../../cmd/io.ts";
import { OutputClosedError } from "../../cmd/io.ts";
import { concat, utf8 } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";

/** What the command finds. */
export interface TestWorld {
  /** Standard input, whole, in chunks or as it comes; empty if not given. */
  readonly stdin?:
    | string
    | readonly (string | Bytes)[]
    | ReadableStream<string>;
  /** Answers to prompts that do not show what is typed, in order. */
  readonly secrets?: readonly string[];
  /** The whole environment; empty if not given. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970, or a clock; 2026-01-01 if not given. */
  readonly now?: number | (() => number);
  /** Whether all three streams are a terminal. */
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly signal?: AbortSignal;
  /** How many writes to standard output succeed before its reader is gone. */
  readonly stdoutClosesAfter?: number;
}

/** An {@linkcode Io} and what was done with it. */
export interface TestIo extends Io {
  /** All of standard output so far, as text. */
  readonly out: string;
  /** All of standard error so far, as text. */
  readonly err: string;
  /** All of standard output so far. */
  readonly outBytes: Bytes;
  /** Whether raw mode was left on. */
  readonly raw: boolean;
  /** Gives the terminal another size and says so to who wants to know. */
  resize(columns: number, rows: number): void;
}

/** An {@linkcode Io} for tests. */
export function testIo(world: TestWorld = {}): TestIo {
  const terminal = world.terminal ?? false;
  const size = { columns: world.columns ?? 80, rows: world.rows ?? 24 };
  const stdout = new Capture(terminal, size, world.stdoutClosesAfter);
  const stderr = new Capture(terminal, size);
  const lines = new InputReader(chunksOf(world.stdin ?? []));
  const listeners = new Set<() => void>();
  const secrets = [...world.secrets ?? []];
  let raw = false;
  const stdin: Input = {
    isTerminal: terminal,
    read: () => lines.read(),
    setRaw(on) {
      raw = on;
    },
  };
  const { now = Date.UTC(2026, 0, 1) } = world;
  return {
    stdin,
    stdout,
    stderr,
    env: (name) => world.env?.[name] || undefined,
    now: typeof now === "number" ? () => now : now,
    signal: world.signal ?? new AbortController().signal,
    onTerminalChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    resize(columns, rows) {
      Object.assign(size, { columns, rows });
      for (const listener of listeners) listener();
    },
    readLine: () => lines.readLine(),
    async prompt(question) {
      if (!terminal) return null;
      await stderr.write(question);
      return await lines.readLine();
    },
    async promptSecret(question) {
      if (!terminal) return null;
      await stderr.write(`${question}\n`);
      return secrets.shift() ?? null;
    },
    get out() {
      return stdout.text;
    },
    get err() {
      return stderr.text;
    },
    get outBytes() {
      return stdout.bytes;
    },
    get raw() {
      return raw;
    },
  };
}

function chunksOf(
  stdin: NonNullable<TestWorld["stdin"]>,
): () => Promise<Bytes | null> {
  if (stdin instanceof ReadableStream) {
    const reader = stdin.getReader();
    return async () => {
      const { value } = await reader.read();
      return value === undefined ? null : utf8(value);
    };
  }
  const chunks = (typeof stdin === "string" ? [stdin] : [...stdin])
    .map((chunk) => typeof chunk === "string" ? utf8(chunk) : chunk);
  return () => Promise.resolve(chunks.shift() ?? null);
}

class Capture implements Output {
  readonly isTerminal: boolean;
  readonly #size: { readonly columns: number; readonly rows: number };
  readonly #parts: Bytes[] = [];
  readonly #writes: number;

  constructor(
    isTerminal: boolean,
    size: { readonly columns: number; readonly rows: number },
    writes = Infinity,
  ) {
    this.isTerminal = isTerminal;
    this.#size = size;
    this.#writes = writes;
  }

  get columns(): number {
    return this.#size.columns;
  }

  get rows(): number {
    return this.#size.rows;
  }

  get bytes(): Bytes {
    return concat(...this.#parts);
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  write(data: string | Uint8Array): Promise<void> {
    if (this.#parts.length >= this.#writes) {
      return Promise.reject(new OutputClosedError());
    }
    this.#parts.push(
      typeof data === "string" ? utf8(data) : new Uint8Array(data),
    );
    return Promise.resolve();
  }
}
