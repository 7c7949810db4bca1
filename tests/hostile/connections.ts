import { ChannelError } from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import type { Random } from "./random.ts";

/** Something that goes on beside an attack, and whether it is over. */
export interface Aside<T> {
  readonly over: boolean;
  readonly end: Promise<T>;
}

export function aside<T>(work: Promise<T>): Aside<T> {
  let over = false;
  const end = work.finally(() => over = true);
  return {
    end,
    get over() {
      return over;
    },
  };
}

/** A turn of the event loop, and time for the target to look at what has come. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Leaves with CLOSE, or without a word. */
export async function leave(
  link: CommandChannel,
  random: Random,
): Promise<void> {
  if (random.once(2)) await link.close();
  else {
    await link.flushed().catch(() => {});
    link.abort();
  }
}

/** Sends commands; whether the channel still stands. */
export async function send(
  link: CommandChannel,
  bytes: Bytes,
): Promise<boolean> {
  try {
    await link.send(bytes);
    return true;
  } catch (error) {
    if (error instanceof ChannelError) return false;
    throw error;
  }
}

/** Writes all of `bytes`; whether the connection still stands. */
export async function write(
  connection: Deno.TcpConn,
  bytes: Bytes,
): Promise<boolean> {
  try {
    for (let at = 0; at < bytes.length;) {
      at += await connection.write(bytes.subarray(at));
    }
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Reads, so that a target that answers is never held up, until the connection ends. */
export function drain(connection: Deno.TcpConn): Aside<void> {
  return aside(readOn(connection));
}

async function readOn(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    while (await connection.read(buffer) !== null);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  try {
    connection.close();
  } catch { /* closed by hangUp */ }
}

export async function readAtLeast(
  connection: Deno.TcpConn,
  count: number,
): Promise<void> {
  const buffer = new Uint8Array(4_096);
  for (let read = 0; read < count;) {
    const more = await connection.read(buffer);
    if (more === null) throw new Error("no HELLO-ACK came");
    read += more;
  }
}

/** Ends a connection: orderly, or with whatever is on the way lost. */
export async function hangUp(
  connection: Deno.TcpConn,
  random: Random,
): Promise<void> {
  try {
    if (random.once(2)) await connection.closeWrite();
    else connection.close();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.NotConnected;
}
