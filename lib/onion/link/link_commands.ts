import type {
  Bytes,
  ByteStream,
  Channel,
  CommandTable,
  Message,
} from "../../protocol/mod.ts";
import {
  Caller,
  ChannelError,
  CommandChannel,
  CommandWriter,
  verb,
  Vocabulary,
} from "../../protocol/mod.ts";
import type { LinkGuests } from "./link_guests.ts";

/** What is said on a channel before cells are (SPEC.md §12.1). */

export const LINK = verb(0x7400, "LINK", "cells follow from here on");
export const LINKED = verb(0x7401, "LINKED", "cells are welcome");

/** Everything that is said about links. */
export const LINKS: CommandTable = {
  service: "onion",
  parameters: [],
  verbs: [LINK, LINKED],
};

const VOCABULARY = new Vocabulary(LINKS);
const LIMITS = { messageBytes: 1_024, skippedBytes: 8_192 };

/**
 * Asks a node for a link, once the connection stands; closes that if there will be none.
 *
 * @param linkKey the X25519 key of its certificate, 32 bytes.
 * @returns the channel, on which cells are said from now on.
 * @throws {ChannelError | RefusedError} if it is not that node, or does not want it.
 */
export async function askForLink(
  stream: ByteStream,
  linkKey: Bytes,
): Promise<Channel> {
  try {
    return await linkOver(stream, linkKey);
  } catch (error) {
    try {
      stream.close();
    } catch {
      // Closed before.
    }
    throw error;
  }
}

async function linkOver(stream: ByteStream, linkKey: Bytes): Promise<Channel> {
  const channel = await new Caller(stream).connect(linkKey);
  const commands = new CommandChannel(channel, VOCABULARY, LIMITS);
  await commands.send(new CommandWriter().verb(LINK).done());
  const answer = await commands.next();
  if (answer?.verb !== LINKED) {
    commands.abort();
    throw new ChannelError(
      "ERR_CHANNEL_VIOLATION",
      "Cannot make a link: the node answers otherwise",
    );
  }
  return channel;
}

/**
 * The answering side: waits for the first command, and tells the other side that it has a link if that
 * is what it wants.
 *
 * @param guests whose verbs are first commands, too.
 * @returns the first command, if it is one of `guests`; `undefined` if it is none, or there is none.
 * @throws {ChannelError | MalformedError} if it breaks a rule.
 */
export async function grantLink(
  channel: Channel,
  guests?: Pick<LinkGuests, "table" | "opens">,
): Promise<"link" | Message | undefined> {
  const vocabulary = guests === undefined
    ? VOCABULARY
    : new Vocabulary(LINKS, guests.table);
  const commands = new CommandChannel(channel, vocabulary, LIMITS);
  const request = await commands.next();
  if (request === null) return undefined;
  if (guests?.opens.has(request.verb.name)) return request;
  if (request.verb !== LINK) return undefined;
  await commands.send(new CommandWriter().verb(LINKED).done());
  return "link";
}
