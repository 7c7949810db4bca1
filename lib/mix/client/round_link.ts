import type { Bytes, Message } from "../../protocol/mod.ts";

/** What a client needs of a connection to the entry: a `CommandChannel` that knows `ROUNDS` is one. */
export interface RoundLink {
  /** The next message, or `null` after the other side's CLOSE. One call at a time. */
  next(): Promise<Message | null>;
  /** Sends commands, in order. */
  send(commands: Bytes): Promise<void>;
  /** Says CLOSE and closes. */
  close(): Promise<void>;
  /** Drops the connection without a word. */
  abort(): void;
}
