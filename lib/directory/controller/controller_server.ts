import type { NodeKeyring } from "../../identity/mod.ts";
import type { Incoming } from "../../net/mod.ts";
import { answer, CommandChannel } from "../../protocol/mod.ts";
import { DIRECTORY_VOCABULARY } from "../commands.ts";
import { ControllerSession } from "./controller_session.ts";
import type { DeskOptions } from "./desk.ts";
import { Desk } from "./desk.ts";

/** What anybody may send inside the channel before proving who it is, in bytes. */
const GUEST_BUDGET = 65_536;

/** Takes connections to a controller from their first byte to their last. */
export class ControllerServer {
  readonly #keyring: NodeKeyring;
  readonly #desk: Desk;

  /** Nothing is listened to. */
  constructor(keyring: NodeKeyring, options: DeskOptions) {
    this.#keyring = keyring;
    this.#desk = new Desk(options);
  }

  /**
   * Serves one connection until it ends.
   *
   * @throws {ChannelError | MalformedError} when the other side broke a rule or was cut off.
   */
  async accept(incoming: Incoming): Promise<void> {
    incoming.deadline(this.#desk.limits.guestPatience);
    const channel = await answer(incoming, {
      static: this.#keyring.dh,
      certificate: this.#keyring.certificate.bytes,
    });
    if (channel === undefined) return;
    const commands = new CommandChannel(channel, DIRECTORY_VOCABULARY, {
      messageBytes: 8_192,
      skippedBytes: GUEST_BUDGET,
    });
    commands.budget = GUEST_BUDGET;
    try {
      await new ControllerSession(this.#desk, commands, incoming).serve();
      await commands.close();
    } catch (error) {
      commands.abort();
      throw error;
    }
  }

  /** Looks after no relay any more; to be called before the connections are dropped. */
  async close(): Promise<void> {
    await this.#desk.close();
  }
}
