import { CommandError } from "../errors.ts";
import type { Online } from "./online.ts";

/**
 * Waits for the first connection.
 *
 * @throws {CommandError} if there is none within `milliseconds`; it says what the last attempt met.
 */
export async function onlineWithin(
  online: Online,
  milliseconds: number,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new CommandError("Cannot go online", { cause: online.lastFailure }),
        ),
      milliseconds,
    );
  });
  try {
    await Promise.race([online.ready, late]);
  } finally {
    clearTimeout(timer);
  }
}
