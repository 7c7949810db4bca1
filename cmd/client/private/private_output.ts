import type { Io } from "../../io.ts";
import { openConversation } from "../../terminal/open_conversation.ts";
import { wrapText } from "../../wrap_text.ts";
import type { EventObject } from "./event_json.ts";

/** Where a private chat is read and written: a terminal, lines, or lines of JSON. */
export interface PrivateOutput {
  /** What the person, or script, enters. */
  messages(): AsyncIterable<string>;
  /** A line of the conversation; its name for `change`. */
  print(text: string): number;
  /** Puts `text` in its place. */
  change(line: number, text: string): void;
  /** Says something about the conversation. */
  note(text: string): void;
  /** Something has happened. */
  event(object: EventObject): void;
  /** How things stand. */
  prompt(text: string): void;
  /** Makes somebody look. */
  ring(): void;
  /** Whether colours mean something. */
  readonly colours: boolean;
  /** Waits until all is written. */
  close(): Promise<void>;
}

/** For people, and for scripts that read what people read. */
export function textOutput(io: Io, prompt: string): PrivateOutput {
  const screen = openConversation(io, prompt);
  let shown = prompt;
  return {
    messages: () => screen.messages(),
    print: (text) => screen.print(text),
    change: (line, text) => screen.change(line, text),
    note(text) {
      if (!screen.colours) return void screen.print(text.replace(/^/gm, "-- "));
      // The last column stays free: some terminals break the line behind it.
      const wrapped = wrapText(text, io.stdout.columns - 1);
      screen.print(wrapped.replace(/^.+$/gm, "\x1b[2m$&\x1b[0m"));
    },
    event() {},
    prompt(text) {
      if (text !== shown) screen.setPrompt(text);
      shown = text;
    },
    ring() {
      if (io.stderr.isTerminal) io.stderr.write("\x07").catch(() => {});
    },
    colours: screen.colours,
    close: () => screen.close(),
  };
}

/** Events, one JSON object a line. */
export function jsonOutput(io: Io): PrivateOutput {
  let written: Promise<void> = Promise.resolve();
  function event(object: EventObject): void {
    written = written.then(() =>
      io.stdout.write(`${JSON.stringify(object)}\n`)
    );
    // Who closes it learns of a failure.
    written.catch(() => {});
  }
  return {
    async *messages() {
      for (;;) {
        const line = await io.readLine();
        if (line === null) return;
        yield line;
      }
    },
    print: () => 0,
    change() {},
    note: (text) => event({ event: "note", text }),
    event,
    prompt() {},
    ring() {},
    colours: false,
    close: () => written,
  };
}
