import type { Incoming } from "../../net/mod.ts";
import type { Channel, CommandTable, Message } from "../../protocol/mod.ts";

/** A service that shares a relay's port with links: whose first command is one of its verbs is its guest. */
export interface LinkGuests {
  /** What is said there. */
  readonly table: CommandTable;
  /** The names of the verbs with which its connections begin. */
  readonly opens: ReadonlySet<string>;
  /**
   * Serves the connection from its first command on, until it ends. The deadline for a first command holds
   * until it is moved; whatever was sent behind that command is lost.
   */
  welcome(channel: Channel, first: Message, incoming: Incoming): Promise<void>;
}
