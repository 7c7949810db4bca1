import type { NodeCertificate } from "../../identity/mod.ts";
import type { Incoming } from "../../net/mod.ts";
import { formatIpAddress, parseIpAddress } from "../../net/mod.ts";
import type { Bytes, CommandChannel, Message } from "../../protocol/mod.ts";
import { CommandWriter, MalformedError, utf8 } from "../../protocol/mod.ts";
import { MESSAGE_LIMIT } from "../agreement/message.ts";
import { checkProof } from "../channel_proof.ts";
import {
  ALIVE,
  ALIVE_EVERY,
  BODY_LENGTH,
  CONSENSUS_IS,
  DECLINE_REASON,
  DECLINED,
  DELIBERATE,
  DESCRIPTOR,
  FIRST_HEIGHT,
  GET_CONSENSUS,
  GET_HEADERS,
  GOODBYE,
  HEADER_COUNT,
  HEADERS_ARE,
  HEADERS_AT_ONCE,
  KNOWN_HASH,
  LIST_ME,
  LISTED,
  NOT_MODIFIED,
  NOTED,
  PROOF,
  PROVE,
  PROVED,
  PROVER,
  SEEN_HOST,
} from "../commands.ts";
import { sameBytes } from "../byte_order.ts";
import type { RelayDescriptor } from "../descriptor.ts";
import { parseDescriptor } from "../descriptor.ts";
import type { Desk } from "./desk.ts";

/** How long a guest may take to receive an answer, in milliseconds. */
const ANSWER_DEADLINE = 120_000;
/** Silence after which another controller counts as gone, in milliseconds. */
const PEER_DEADLINE = 900_000;
/**
 * Questions that somebody may ask on one connection who has not proved anything. Headers of a year,
 * 10,000 at a time, are ten of them.
 */
const GUEST_QUESTIONS = 256;
/** Signs of life that a relay may leave out before it is hung up on. */
const RELAY_SILENCES = 4;

/** One connection to a controller, behind the handshake: a client's, a relay's or a controller's. */
export class ControllerSession {
  readonly #desk: Desk;
  readonly #channel: CommandChannel;
  readonly #incoming: Incoming;
  #node: NodeCertificate | undefined;
  #descriptor: RelayDescriptor | undefined;
  #questions = 0;

  /** Nothing has been said yet. */
  constructor(desk: Desk, channel: CommandChannel, incoming: Incoming) {
    this.#desk = desk;
    this.#channel = channel;
    this.#incoming = incoming;
  }

  /**
   * Answers until the other side ends. A relay that goes without a word is looked at.
   *
   * @throws {ChannelError | MalformedError} if the other side broke a rule or was cut off.
   */
  async serve(): Promise<void> {
    try {
      for (;;) {
        const message = await this.#channel.next();
        if (message === null) return;
        if (this.#node === undefined && ++this.#questions > GUEST_QUESTIONS) {
          return;
        }
        await this.#answer(message);
        this.#incoming.deadline(this.#patience);
      }
    } finally {
      if (this.#descriptor !== undefined) {
        this.#desk.lost(this.#descriptor, this);
      }
    }
  }

  get #patience(): number {
    if (this.#node === undefined) return this.#desk.limits.guestPatience;
    return this.#desk.isController(this.#node)
      ? PEER_DEADLINE
      : this.#desk.limits.aliveEvery * RELAY_SILENCES;
  }

  async #answer(message: Message): Promise<void> {
    switch (message.verb) {
      case PROVE:
        return await this.#prove(message);
      case LIST_ME:
        return await this.#list(message);
      case ALIVE:
        return await this.#alive();
      case GOODBYE:
        return await this.#goodbye();
      case GET_CONSENSUS:
        return await this.#consensus(message);
      case GET_HEADERS:
        return await this.#headers(message);
      case DELIBERATE:
        return await this.#deliberate(message);
      default:
        // An answer instead of a question: nobody waits for it.
    }
  }

  async #prove(message: Message): Promise<void> {
    if (this.#node !== undefined) return await this.#decline("proved-already");
    this.#node = await checkProof(
      message.need(PROVER),
      message.need(PROOF),
      this.#channel.hash,
    );
    this.#channel.budget = Infinity;
    await this.#channel.send(
      new CommandWriter().set(SEEN_HOST, utf8(this.#seenHost()))
        .set(ALIVE_EVERY, this.#desk.limits.aliveEvery).verb(PROVED).done(),
    );
  }

  async #list(message: Message): Promise<void> {
    if (this.#node === undefined) return await this.#decline("prove-first");
    let descriptor: RelayDescriptor;
    try {
      descriptor = await parseDescriptor(message.need(DESCRIPTOR));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      return await this.#decline("invalid-descriptor");
    }
    if (!sameBytes(descriptor.identity.fingerprint, this.#node.fingerprint)) {
      return await this.#decline("not-yours");
    }
    // Looking at it takes its time, and is our own doing.
    this.#incoming.deadline(0);
    const { group } = this.#incoming;
    const refusal = await this.#desk.list(descriptor, group, this);
    if (refusal !== undefined) return await this.#decline(refusal);
    this.#descriptor = descriptor;
    await this.#channel.send(new CommandWriter().verb(LISTED).done());
  }

  async #alive(): Promise<void> {
    if (this.#node === undefined || !this.#desk.alive(this.#node, this)) {
      return await this.#decline("not-listed");
    }
    await this.#channel.send(new CommandWriter().verb(NOTED).done());
  }

  async #goodbye(): Promise<void> {
    if (this.#descriptor !== undefined) {
      this.#desk.leave(this.#descriptor, this);
      this.#descriptor = undefined;
    }
    await this.#channel.send(new CommandWriter().verb(NOTED).done());
  }

  async #consensus(message: Message): Promise<void> {
    const wait = this.#desk.mayFetch(this.#incoming.group);
    if (!wait) return await this.#decline("too-fast");
    const { head } = this.#desk;
    if (head === undefined) return await this.#decline("no-consensus");
    const known = message.get(KNOWN_HASH);
    if (known !== undefined && sameBytes(known, head.hash)) {
      return await this.#channel.send(
        new CommandWriter().verb(NOT_MODIFIED).done(),
      );
    }
    await this.#answerWith(
      new CommandWriter().set(BODY_LENGTH, head.bytes.length)
        .verb(CONSENSUS_IS).done(),
      head.bytes,
    );
  }

  async #headers(message: Message): Promise<void> {
    if (!this.#desk.mayFetch(this.#incoming.group)) {
      return await this.#decline("too-fast");
    }
    const first = Number(message.need(FIRST_HEIGHT));
    const count = message.need(HEADER_COUNT);
    const headers = count <= HEADERS_AT_ONCE
      ? this.#desk.headers(first, count)
      : undefined;
    if (headers === undefined) return await this.#decline("no-such-headers");
    await this.#answerWith(
      new CommandWriter().set(BODY_LENGTH, headers.length).verb(HEADERS_ARE)
        .done(),
      headers,
    );
  }

  async #deliberate(message: Message): Promise<void> {
    if (this.#node === undefined || !this.#desk.isController(this.#node)) {
      throw new MalformedError("Cannot take DELIBERATE: from no controller");
    }
    const length = message.need(BODY_LENGTH);
    if (length < 1 || length > MESSAGE_LIMIT) {
      throw new MalformedError(`Cannot take DELIBERATE: ${length} bytes`);
    }
    const body = await this.#channel.body(length);
    await this.#desk.deliberate(this.#node, body);
  }

  async #answerWith(commands: Bytes, body: Bytes): Promise<void> {
    this.#incoming.deadline(ANSWER_DEADLINE);
    await this.#channel.sendWithBody(commands, body);
  }

  async #decline(why: string): Promise<void> {
    await this.#channel.send(
      new CommandWriter().set(DECLINE_REASON, utf8(why)).verb(DECLINED).done(),
    );
  }

  /** The canonical text of the address; a zone (`fe80::1%eth0`) means something here only. */
  #seenHost(): string {
    const text = this.#incoming.hostname.split("%")[0]!;
    const address = parseIpAddress(text);
    return address === undefined ? text : formatIpAddress(address);
  }
}
