import { report } from "./errors.ts";
import type { Io } from "./io.ts";

/**
 * From now on a failure that nobody waits for (a promise rejected in the background) is told as any
 * other, the terminal is put right, and `exit` is called with its code.
 */
export function reportUnhandled(
  io: Io,
  debug: boolean,
  exit: (code: number) => void,
): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    io.stdin.setRaw(false);
    report(event.reason, io.stderr, { debug }).then(exit);
  });
}
