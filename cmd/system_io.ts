import type { Bytes } from "../lib/protocol/mod.ts";
import { InputReader } from "./input_reader.ts";
import type { Input, Io, Output } from "./io.ts";
import { InterruptedError, OutputClosedError } from "./io.ts";
import { SecretLine } from "./secret_line.ts";

const READ_BYTES = 65_536;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * The real process. `exit` is called when the person insists: at the second Ctrl-C.
 *
 * Signals are caught only once a command asks for `signal` or for a secret, so that a command which
 * does neither is ended by the first Ctrl-C as any program is.
 */
export function systemIo(exit: (code: number) => void): Io {
  const interruption = new Interruption(() => {
    stdin.setRaw(false);
    exit(130);
  });
  const stdin = new SystemInput(interruption);
  const stdout = new SystemOutput(Deno.stdout);
  const stderr = new SystemOutput(Deno.stderr);
  return {
    stdin,
    stdout,
    stderr,
    env: (name) => Deno.env.get(name) || undefined,
    now: () => Date.now(),
    get signal() {
      return interruption.signal;
    },
    onTerminalChange,
    readLine: () => stdin.lines.readLine(),
    async prompt(question) {
      if (!stdin.isTerminal) return null;
      await stderr.write(question);
      return await stdin.lines.readLine();
    },
    async promptSecret(question) {
      if (!stdin.isTerminal) return null;
      interruption.watch();
      await stderr.write(question);
      stdin.setRaw(true);
      try {
        return await readSecret(stdin);
      } finally {
        stdin.setRaw(false);
        await stderr.write("\n");
      }
    },
  };
}

async function readSecret(stdin: SystemInput): Promise<string | null> {
  const line = new SecretLine();
  for (;;) {
    const keys = await stdin.read();
    if (keys === null) return null;
    const rest = line.feed(keys);
    if (rest === null) continue;
    // Typed ahead: without raw mode, Return would have come as a line feed.
    stdin.lines.unread(rest.map((key) => key === RETURN ? NEWLINE : key));
    return line.text;
  }
}

/** Turns the signals that ask a process to end into one AbortSignal. */
class Interruption {
  readonly #controller = new AbortController();
  readonly #insist: () => void;
  #watching = false;

  /** `insist` is called at the second signal and those after it. */
  constructor(insist: () => void) {
    this.#insist = insist;
  }

  get signal(): AbortSignal {
    this.watch();
    return this.#controller.signal;
  }

  /** Whether it came already. Does not start to watch. */
  get happened(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Calls back once when it comes; the result takes the callback away again. */
  onInterrupt(callback: () => void): () => void {
    const { signal } = this.#controller;
    signal.addEventListener("abort", callback, { once: true });
    return () => signal.removeEventListener("abort", callback);
  }

  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    for (const name of SIGNALS) {
      Deno.addSignalListener(name, () => {
        if (this.happened) this.#insist();
        this.#controller.abort(new InterruptedError());
      });
    }
  }
}

class SystemInput implements Input {
  readonly lines: InputReader;
  readonly #interruption: Interruption;
  #raw = false;

  constructor(interruption: Interruption) {
    this.#interruption = interruption;
    this.lines = new InputReader(() => this.#readChunk());
  }

  get isTerminal(): boolean {
    return Deno.stdin.isTerminal();
  }

  read(): Promise<Bytes | null> {
    return this.lines.read();
  }

  setRaw(on: boolean): void {
    // Off only after on: switching it off would else undo what the shell set.
    if (!this.isTerminal || (!on && !this.#raw)) return;
    Deno.stdin.setRaw(on, { cbreak: on });
    this.#raw = on;
  }

  /** A read from standard input cannot be called off, so the interruption goes past it. */
  async #readChunk(): Promise<Bytes | null> {
    if (this.#interruption.happened) throw new InterruptedError();
    const buffer = new Uint8Array(READ_BYTES);
    const interrupted = Promise.withResolvers<never>();
    const forget = this.#interruption.onInterrupt(() =>
      interrupted.reject(new InterruptedError())
    );
    try {
      const read = Deno.stdin.read(buffer);
      const length = await Promise.race([read, interrupted.promise]);
      return length === null ? null : buffer.subarray(0, length);
    } finally {
      forget();
    }
  }
}

/** Zeros when no stream is a terminal, or when the terminal does not know either. */
function terminalSize(): { columns: number; rows: number } {
  try {
    return Deno.consoleSize();
  } catch {
    return { columns: 0, rows: 0 };
  }
}

function onTerminalChange(listener: () => void): () => void {
  const names: readonly Deno.Signal[] = ["SIGWINCH", "SIGCONT"];
  for (const name of names) Deno.addSignalListener(name, listener);
  return () => {
    for (const name of names) Deno.removeSignalListener(name, listener);
  };
}

class SystemOutput implements Output {
  readonly #file: typeof Deno.stdout;

  constructor(file: typeof Deno.stdout) {
    this.#file = file;
  }

  get isTerminal(): boolean {
    return this.#file.isTerminal();
  }

  get columns(): number {
    return terminalSize().columns || 80;
  }

  get rows(): number {
    return terminalSize().rows || 24;
  }

  async write(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string"
      ? new TextEncoder().encode(data)
      : data;
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#file.write(bytes.subarray(at));
      }
    } catch (cause) {
      if (cause instanceof Deno.errors.BrokenPipe) {
        throw new OutputClosedError({ cause });
      }
      throw cause;
    }
  }
}
