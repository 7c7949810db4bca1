/**
 * A program that does one thing with the real `Io`, for the tests of it.
 *
 * @module
 */
import { report, UsageError } from "../../cmd/errors.ts";
import type { Io } from "../../cmd/io.ts";
import { systemIo } from "../../cmd/system_io.ts";
import { reportUnhandled } from "../../cmd/unhandled.ts";
import { openConversation } from "../../cmd/terminal/open_conversation.ts";

const PROBES: Readonly<Record<string, (io: Io) => Promise<void>>> = {
  /** Writes until the reader has gone. */
  async flood(io) {
    for (;;) await io.stdout.write("x".repeat(65_536));
  },
  async lines(io) {
    for (let line; (line = await io.readLine()) !== null;) {
      await io.stdout.write(`[${line}]\n`);
    }
  },
  async secret(io) {
    const secret = await io.promptSecret("Secret: ");
    const line = await io.prompt("Name: ");
    await io.stdout.write(JSON.stringify({ secret, line }) + "\n");
  },
  async talk(io) {
    const talk = openConversation(io, "you> ");
    try {
      for await (const message of talk.messages()) {
        talk.print(`sent ${JSON.stringify(message)}`);
      }
    } finally {
      await talk.close();
    }
    await io.stdout.write(`interrupted: ${io.signal.aborted}\n`);
  },
  /** Looks at the signal, then takes its time. */
  async slow(io) {
    const { signal } = io;
    await io.stdout.write("ready\n");
    while (!signal.aborted) await new Promise((go) => setTimeout(go, 5));
    await io.stdout.write("cleaning up\n");
    await new Promise((go) => setTimeout(go, 30_000));
  },
  /** Never looks at the signal. */
  async deaf(io) {
    await io.stdout.write("ready\n");
    await new Promise((go) => setTimeout(go, 30_000));
  },
  /** Waits for input that does not come. */
  async wait(io) {
    io.signal.throwIfAborted();
    await io.stdout.write("ready\n");
    await io.readLine();
  },
  async raw(io) {
    io.signal.throwIfAborted();
    io.stdin.setRaw(true);
    await io.stdout.write("ready\n");
    await new Promise((go) => setTimeout(go, 30_000));
  },
  /** Something goes wrong that nobody waits for. */
  async stray(io) {
    io.stdin.setRaw(true);
    Promise.reject(new UsageError("a stray failure"));
    await new Promise((go) => setTimeout(go, 30_000));
  },
  async size(io) {
    await io.stdout.write(`${io.stdout.columns}x${io.stdout.rows}\n`);
  },
};

if (import.meta.main) {
  const io = systemIo(Deno.exit);
  reportUnhandled(io, false, Deno.exit);
  try {
    await PROBES[Deno.args[0]!]!(io);
    Deno.exit(0);
  } catch (error) {
    Deno.exit(await report(error, io.stderr));
  }
}
