import { CommandError, describe, UsageError } from "../../errors.ts";
import type { Io } from "../../io.ts";
import { personOf } from "../address.ts";
import type { Profile } from "../profile.ts";
import type { Peer } from "./peer.ts";
import type { Peers } from "./peers.ts";
import type { PrivateSession } from "./private_session.ts";
import { trustedCertificate } from "./private_session.ts";
import type { Certificate } from "../../../lib/identity/mod.ts";

/** What commands of a chat act on. */
export interface CommandedChat {
  readonly session: PrivateSession;
  readonly peers: Peers;
  current: Peer | undefined;
  call(certificate: Certificate): void;
  accept(address: string): void;
  refuse(address: string): void;
  hangUp(address: string): void;
  note(text: string): void;
  privacy(): Promise<string>;
}

const HELP =
  `/privacy        how private this is: what it has cost, who the mixes are, what is hidden and what not
/accept [NAME]  answer a call; /refuse [NAME] does not, and says so
/call NAME      call somebody, also while you talk with somebody else
/to NAME        go on talking with another one
/hangup         end this conversation once what you said has arrived
/verify         the safety number to compare with them
/quit           hang up everywhere and end (also Ctrl-D; Ctrl-C leaves at once)
Anything else that begins with / is sent if you write // in its place.`;

/** The commands that one types in a private chat. */
export class PrivateCommands {
  readonly #io: Io;
  readonly #profile: Profile;
  readonly #chat: CommandedChat;

  constructor(io: Io, profile: Profile, chat: CommandedChat) {
    this.#io = io;
    this.#profile = profile;
    this.#chat = chat;
  }

  /** Runs what was typed; what is wrong with it is said. */
  async run(line: string): Promise<void> {
    const [name, operand] = line.trim().split(/\s+/);
    try {
      await this.#run(name!, operand);
    } catch (error) {
      const isOwn = error instanceof CommandError ||
        error instanceof UsageError;
      if (!isOwn) throw error;
      const hint = error.hint === undefined ? "" : ` (${error.hint})`;
      this.#chat.note(`${describe(error)}${hint}`);
    }
  }

  async #run(name: string, operand: string | undefined): Promise<void> {
    const chat = this.#chat;
    switch (name) {
      case "/privacy":
        return chat.note(await chat.privacy());
      case "/accept":
        return chat.accept(this.#caller(operand));
      case "/refuse":
        return chat.refuse(this.#caller(operand));
      case "/call":
        return await this.#call(operand);
      case "/to":
        chat.current = this.#known(operand);
        return;
      case "/hangup":
        return chat.hangUp(this.#known(operand).address);
      case "/verify":
        return await this.#verify();
      default:
        return chat.note(HELP);
    }
  }

  /** Who calls: the one that is named, or the only one. */
  #caller(operand: string | undefined): string {
    if (operand !== undefined) return this.#address(operand);
    const [first, second] = this.#chat.session.line.ringing;
    if (first === undefined) throw new CommandError("Nobody is calling");
    if (second !== undefined) {
      throw new UsageError("more than one is calling; say whom you mean");
    }
    return first.address;
  }

  async #call(operand: string | undefined): Promise<void> {
    const { current } = this.#chat;
    const address = operand === undefined
      ? current?.address
      : this.#address(operand);
    if (address === undefined) throw new UsageError("/call needs a name");
    this.#chat.call(await trustedCertificate(this.#io, this.#profile, address));
  }

  #known(operand: string | undefined): Peer {
    const { current, peers } = this.#chat;
    const peer = operand === undefined
      ? current
      : peers.get(this.#address(operand));
    if (peer !== undefined) return peer;
    throw new CommandError("There is no conversation with them");
  }

  async #verify(): Promise<void> {
    const { safetyText } = await import("../verify.ts");
    const { address } = this.#known(undefined);
    const theirs = await trustedCertificate(this.#io, this.#profile, address);
    const { certificate } = this.#profile.keyring;
    this.#chat.note(await safetyText(certificate, theirs));
  }

  #address(operand: string): string {
    return personOf(operand, this.#profile.address);
  }
}
