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

/**
 * Waits until the letters that waited at the server have come, or for `milliseconds` if they do not.
 *
 * @throws {CommandError} if there is no connection within that time.
 */
export async function allArrived(
  online: Online,
  milliseconds: number,
): Promise<void> {
  await onlineWithin(online, milliseconds);
  const waiting = (await online.ready)?.waiting ?? 0;
  const end = performance.now() + milliseconds;
  while (online.arrived < waiting && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
