import type { Incoming } from "../net/mod.ts";
import type { CommandChannel, CommandTable, Message } from "../protocol/mod.ts";

/** Somebody who has connected and does not log in. */
export interface Guest {
  /** Where commands come from and go to. */
  readonly link: CommandChannel;
  /** Its address group, and how long it is waited for. */
  readonly caller: Pick<Incoming, "group" | "deadline">;
  /** The server's own MAX-PACKET, in bytes. */
  readonly maxPacket: number;
}

/**
 * A service for whoever connects, with or without an account: a connection whose first command is one
 * of its verbs is its own until the end.
 */
export interface GuestService {
  /** What is said there. */
  readonly table: CommandTable;
  /** The names of the verbs with which such a connection begins. */
  readonly opens: ReadonlySet<string>;
  /**
   * Serves the connection from its first command on. The budget and the deadline of a connection
   * before its login hold until it lifts them.
   *
   * @throws {AccountError} becomes KO with its reason, and the end of the connection.
   */
  welcome(guest: Guest, first: Message): Promise<void>;
}
