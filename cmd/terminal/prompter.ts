import type { Bytes } from "../../lib/protocol/mod.ts";
import type { Io } from "../io.ts";
import { InterruptedError } from "../io.ts";
import type { Conversation } from "./conversation.ts";
import type { KeyEvent } from "./key.ts";
import { KeyDecoder } from "./key_decoder.ts";
import { LineEditor } from "./line_editor.ts";
import { viewLine } from "./line_view.ts";
import { Scrollback } from "./scrollback.ts";

/** After so many milliseconds a lone ESC was the Escape key and not the start of a sequence. */
const ESCAPE_MS = 50;

const PASTE_ON = "\x1b[?2004h";
const PASTE_OFF = "\x1b[?2004l";
const ERASE_ROW = "\r\x1b[K";
const ERASE_BELOW = "\r\x1b[J";
const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/** A prompt with a line editor at the bottom of a real terminal. See {@linkcode Conversation}. */
export class Prompter implements Conversation {
  readonly colours = true;
  readonly #io: Io;
  readonly #decoder = new KeyDecoder();
  readonly #editor = new LineEditor();
  readonly #scrollback = new Scrollback();
  readonly #messages: ReadableStream<string>;
  readonly #stopWatching: () => void;
  #prompt: string;
  #column = 0;
  #written: Promise<void> = Promise.resolve();
  #closed = false;

  /**
   * Switches the terminal to raw mode and shows the prompt.
   *
   * @throws {InterruptedError} If the run is to end already.
   */
  constructor(io: Io, prompt: string) {
    this.#io = io;
    this.#prompt = prompt;
    io.signal.throwIfAborted();
    io.stdin.setRaw(true);
    this.#write(PASTE_ON + this.#row());
    this.#stopWatching = io.onTerminalChange(() => this.#restore());
    this.#messages = new ReadableStream({
      start: (controller) => {
        this.#run(controller).then(
          () => controller.close(),
          (error) => controller.error(error),
        );
      },
    });
  }

  messages(): AsyncIterable<string> {
    return this.#messages;
  }

  print(text: string): number {
    this.#write(`${ERASE_ROW}${text}\n${this.#row()}`);
    return this.#scrollback.add(text, this.#io.stdout.columns);
  }

  change(id: number, text: string): void {
    const { columns, rows } = this.#io.stdout;
    const place = this.#scrollback.find(id, columns, rows);
    if (place?.printed.text === text) return;
    if (place === undefined) {
      this.#write(`${ERASE_ROW}${text}\n${this.#row()}`);
      this.#scrollback.add(text, columns, id);
      return;
    }
    // The new text may take another number of rows, so all below it is printed anew.
    const below = this.#scrollback.replace(id, text, columns);
    this.#write(
      `\r\x1b[${place.up}A\x1b[J${below.join("\n")}\n${this.#row()}`,
    );
  }

  setPrompt(prompt: string): void {
    this.#prompt = prompt;
    this.#write(ERASE_ROW + this.#row());
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#write(ERASE_ROW + PASTE_OFF);
      this.#closed = true;
      this.#stopWatching();
      this.#io.stdin.setRaw(false);
    }
    await this.#written;
  }

  /** Keys are taken as they come, even while nobody waits for the next message. */
  async #run(
    messages: ReadableStreamDefaultController<string>,
  ): Promise<void> {
    for await (const event of this.#events()) {
      const outcome = this.#editor.apply(event);
      if (outcome.kind === "end") return;
      if (outcome.kind === "clear") {
        this.#scrollback.forget();
        this.#write(CLEAR_SCREEN);
      }
      this.#write(ERASE_ROW + this.#row());
      if (outcome.kind === "line") messages.enqueue(outcome.text);
    }
  }

  /** After another size, or after a stop (Ctrl-Z), when the shell has set the terminal its own way. */
  #restore(): void {
    this.#io.stdin.setRaw(true);
    this.#scrollback.forget(); // others have printed since, or the terminal has wrapped it anew
    // A narrower terminal has wrapped the row that the cursor stood in.
    const up = Math.floor(this.#column / this.#io.stdout.columns);
    this.#write(
      (up === 0 ? "" : `\x1b[${up}A`) + PASTE_ON + ERASE_BELOW + this.#row(),
    );
  }

  /** What the person does, until the input ends or the run is interrupted. */
  async *#events(): AsyncIterable<KeyEvent> {
    let reading: Promise<Bytes | null> | undefined;
    try {
      for (;;) {
        reading ??= this.#io.stdin.read();
        if (this.#decoder.waits && !await settles(reading, ESCAPE_MS)) {
          this.#decoder.giveUp();
        }
        const bytes = await reading;
        reading = undefined;
        if (bytes === null) return;
        yield* this.#decoder.feed(bytes);
      }
    } catch (error) {
      if (!(error instanceof InterruptedError)) throw error;
    }
  }

  /** The prompt and the line, with the cursor where it belongs. */
  #row(): string {
    const { text, cursor } = this.#editor;
    const { columns } = this.#io.stdout;
    const { row, column } = viewLine(this.#prompt, text, cursor, columns);
    this.#column = column;
    return `${row}\r${column === 0 ? "" : `\x1b[${column}C`}`;
  }

  #write(text: string): void {
    if (this.#closed) return;
    this.#written = this.#written.then(() => this.#io.stdout.write(text));
    // Who closes it learns of a failure.
    this.#written.catch(() => {});
  }
}

/** Whether `promise` settles within `ms` milliseconds. */
async function settles(
  promise: Promise<unknown>,
  ms: number,
): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), ms);
  try {
    const done = () => true;
    return await Promise.race([promise.then(done, done), late]);
  } finally {
    clearTimeout(timer);
  }
}
