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
  /** Standard input, whole or in chunks; empty if not given. */
  readonly stdin?: string | readonly (string | Bytes)[];
  /** Answers to prompts that do not show what is typed, in order. */
  readonly secrets?: readonly string[];
  /** The whole environment; empty if not given. */
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970, or a clock; 2026-01-01 if not given. */
  readonly now?: number | (() => number);
  /** Whether all three streams are a terminal. */
  readonly terminal?: boolean;
  readonly columns?: number;
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
}

/** An {@linkcode Io} for tests. */
export function testIo(world: TestWorld = {}): TestIo {
  const terminal = world.terminal ?? false;
  const columns = world.columns ?? 80;
  const stdout = new Capture(terminal, columns, world.stdoutClosesAfter);
  const stderr = new Capture(terminal, columns);
  const chunks =
    (typeof world.stdin === "string" ? [world.stdin] : [...world.stdin ?? []])
      .map((chunk) => typeof chunk === "string" ? utf8(chunk) : chunk);
  const lines = new InputReader(() => Promise.resolve(chunks.shift() ?? null));
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

class Capture implements Output {
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly #parts: Bytes[] = [];
  readonly #writes: number;

  constructor(isTerminal: boolean, columns: number, writes = Infinity) {
    this.isTerminal = isTerminal;
    this.columns = columns;
    this.#writes = writes;
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
