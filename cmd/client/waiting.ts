import type { Online } from "./online.ts";

/** There was no connection in time. */
export class OfflineError extends Error {
  override readonly name = "OfflineError";
  readonly code = "ERR_OFFLINE";
}

/**
 * Waits for the first connection.
 *
 * @throws {OfflineError} if there is none within `milliseconds`.
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
          new OfflineError("Cannot reach the server", {
            cause: online.lastFailure,
          }),
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
