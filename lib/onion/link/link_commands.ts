import type {
  Bytes,
  ByteStream,
  Channel,
  CommandTable,
} from "../../protocol/mod.ts";
import {
  Caller,
  ChannelError,
  CommandChannel,
  CommandWriter,
  verb,
  Vocabulary,
} from "../../protocol/mod.ts";

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
 * The answering side: whether the other side wants a link, and is told that it has one.
 *
 * @throws {ChannelError | MalformedError} if it breaks a rule.
 */
export async function grantLink(channel: Channel): Promise<boolean> {
  const commands = new CommandChannel(channel, VOCABULARY, LIMITS);
  const request = await commands.next();
  if (request?.verb !== LINK) return false;
  await commands.send(new CommandWriter().verb(LINKED).done());
  return true;
}
