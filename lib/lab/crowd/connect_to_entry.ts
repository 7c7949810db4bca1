import { ACCOUNT, accountLink } from "../../account/mod.ts";
import type { NodeCertificate } from "../../identity/mod.ts";
import { dial } from "../../net/mod.ts";
import { ROUNDS } from "../../mix/commands.ts";
import { Caller, Vocabulary } from "../../protocol/mod.ts";
import type { CommandChannel } from "../../protocol/mod.ts";

const VOCABULARY = new Vocabulary(ACCOUNT, ROUNDS);

/**
 * Connects to a server as a guest who is going to speak of rounds.
 *
 * @param server its certificate, which it must hold the keys of.
 * @throws {DialError} if nobody is there.
 * @throws {ChannelError} if somebody else is.
 */
export async function connectToEntry(
  address: { readonly hostname: string; readonly port: number },
  server: NodeCertificate,
): Promise<CommandChannel> {
  const stream = await dial(address);
  try {
    const channel = await new Caller(stream).connect(server.dhKey);
    return accountLink(channel, VOCABULARY);
  } catch (error) {
    stream.close();
    throw error;
  }
}
