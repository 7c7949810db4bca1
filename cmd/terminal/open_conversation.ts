/**
 * Lines go up the screen, a prompt stays below: the terminal of `sotto client chat`. On a real terminal
 * it has a line editor and can change what it printed; anywhere else lines come and go as they are.
 *
 * @module
 */
import type { Io } from "../io.ts";
import type { Conversation } from "./conversation.ts";
import { Prompter } from "./prompter.ts";

/** Opens the conversation; close it in a `finally`, or the terminal stays raw. */
export function openConversation(io: Io, prompt: string): Conversation {
  return io.stdin.isTerminal && io.stdout.isTerminal
    ? new Prompter(io, prompt)
    : plainConversation(io);
}

/** Standard input by lines, standard output by lines. */
function plainConversation(io: Io): Conversation {
  let written: Promise<void> = Promise.resolve();
  let next = 1;
  function print(text: string): number {
    written = written.then(() => io.stdout.write(`${text}\n`));
    // Who closes it learns of a failure.
    written.catch(() => {});
    return next++;
  }
  return {
    async *messages() {
      for (;;) {
        const line = await io.readLine();
        if (line === null) return;
        yield line;
      }
    },
    print,
    change: (_id, text) => void print(text),
    setPrompt() {},
    colours: false,
    close: () => written,
  };
}
