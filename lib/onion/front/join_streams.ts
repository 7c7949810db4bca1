import { writeAll } from "../../protocol/mod.ts";
import type { OnionStream } from "../stream/opener.ts";
import type { ClientConnection } from "./client_connection.ts";
import { closeStream } from "./client_connection.ts";

/** What is carried at a time, in bytes. */
const BUFFER_BYTES = 65_536;

/**
 * Carries bytes between a client and a stream, both ways, until both have ended; an end is carried as
 * an end, so that one way may go on when the other is done. When one side breaks, the other is closed.
 * Each way holds 64 KiB at most: it reads on when all of that is written.
 *
 * @throws what broke it.
 */
export async function joinStreams(
  client: ClientConnection,
  stream: OnionStream,
): Promise<void> {
  const out = carry(
    (buffer) => client.input.read(buffer),
    (bytes) => writeAll(stream, bytes),
    () => stream.closeWrite(),
  );
  const back = carry(
    (buffer) => stream.read(buffer),
    (bytes) => client.write(bytes),
    () => client.closeWrite(),
  );
  try {
    await Promise.all([out, back]);
  } finally {
    client.close();
    closeStream(stream);
    // The other way has been cut by that, and is waited for so that nothing goes on in the dark.
    await Promise.allSettled([out, back]);
  }
}

async function carry(
  read: (buffer: Uint8Array) => Promise<number | null>,
  write: (bytes: Uint8Array) => Promise<void>,
  end: () => Promise<void>,
): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (;;) {
    const count = await read(buffer);
    if (count === null) break;
    await write(buffer.subarray(0, count));
  }
  await end();
}
