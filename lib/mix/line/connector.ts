import type { Certificate, Keyring } from "../../identity/mod.ts";
import type { Bytes, RandomSource } from "../../protocol/mod.ts";
import { Conversation } from "../conversation/conversation.ts";
import type {
  ConversationEvent,
  HangUpReason,
} from "../conversation/conversation_event.ts";
import {
  callSecret,
  dialToken,
  pairSecret,
} from "../conversation/pair_secret.ts";
import { Direction } from "../conversation/round_seal.ts";

/** One side of a conversation, and who is told what happens in it. */
export interface Connection {
  /** The conversation. */
  readonly conversation: Conversation;
  /** Start of the dialing round that made it. */
  readonly dialedAt: number;
  /** Set by whoever cares for it; nobody to begin with. */
  listener: (event: ConversationEvent) => void;
}

/** Makes tokens and conversations between oneself and others. */
export class Connector {
  readonly #keyring: Pick<Keyring, "certificate" | "dh" | "signing">;
  readonly #random: RandomSource;
  /** Secrets in common, by certificate id in hex. */
  readonly #pairs = new Map<string, Promise<Bytes>>();

  constructor(
    keyring: Pick<Keyring, "certificate" | "dh" | "signing">,
    random: RandomSource,
  ) {
    this.#keyring = keyring;
    this.#random = random;
  }

  /**
   * The token with which one of the two calls the other in the dialing round that starts then.
   *
   * @throws {CryptoError} if the peer's certificate holds a key of low order.
   */
  async token(
    peer: Certificate,
    start: number,
    direction: Direction,
  ): Promise<Bytes> {
    const caller = direction === Direction.CALLER
      ? this.#keyring.certificate
      : peer;
    return await dialToken(await this.#pair(peer), start, caller.id);
  }

  /**
   * One's own side of the conversation that a token makes.
   *
   * @param refuses why it is only to be hung up, if so.
   * @throws {CryptoError} if the peer's certificate holds a key of low order.
   */
  async connect(
    peer: Certificate,
    dialedAt: number,
    direction: Direction,
    refuses?: Exclude<HangUpReason, "bye">,
  ): Promise<Connection> {
    const token = await this.token(peer, dialedAt, direction);
    const connection: { listener: Connection["listener"] } = {
      listener: () => {},
    };
    const conversation = await Conversation.begin({
      secret: await callSecret(await this.#pair(peer), token),
      dialedAt,
      direction,
      signing: this.#keyring.signing,
      peer,
      random: this.#random,
      onEvent: (event) => connection.listener(event),
      ...(refuses === undefined ? {} : { refuses }),
    });
    return Object.assign(connection, { conversation, dialedAt });
  }

  #pair(peer: Certificate): Promise<Bytes> {
    const name = peer.id.toHex();
    let pair = this.#pairs.get(name);
    if (pair === undefined) {
      pair = pairSecret(this.#keyring, peer);
      this.#pairs.set(name, pair);
    }
    return pair;
  }
}

/** Ends a connection that nobody cares for any more, with its keys. */
export function forget(connection: Connection | undefined): void {
  if (connection === undefined) return;
  connection.listener = () => {};
  void connection.conversation.erase();
}
