import type { Bytes } from "../bytes/bytes.ts";
import { fromUtf8, utf8 } from "../bytes/bytes.ts";
import { MalformedError } from "../bytes/malformed_error.ts";
import { CryptoError } from "../crypto/subtle.ts";
import type { DhKeyPair } from "../crypto/x25519.ts";
import { HandshakeState } from "../noise/handshake_state.ts";
import type { HandshakeResult } from "../noise/handshake_state.ts";
import { CommandWriter } from "../risp/command_writer.ts";
import type { Message } from "../risp/message.ts";
import type { ByteStream } from "./byte_stream.ts";
import { Channel } from "./channel.ts";
import { CommandStream } from "./command_stream.ts";
import { ChannelError } from "./errors.ts";
import {
  HANDSHAKE,
  HELLO,
  HELLO_ACK,
  HELO,
  NODE_CERTIFICATE,
  OLEH,
  PUBLIC_KEY,
  PUBLIC_KEY_IS,
  REFUSAL,
  REFUSED,
  RETRY_AFTER,
} from "./greeting.ts";
import { TrafficKey } from "./traffic_key.ts";

/** The one handshake of every connection and every hop. */
export const HANDSHAKE_NAME = "Noise_NKhfs_25519+MLKEM768_AESGCM_SHA256";

const PROLOGUE = utf8("sotto 1");
const EMPTY = new Uint8Array(0);

/** The node answered that it does not want this connection now. */
export class RefusedError extends Error {
  /** The name of this class. */
  override readonly name = "RefusedError";
  /** Stable, for programs. */
  readonly code = "ERR_REFUSED";
  /** Seconds to wait before trying again; 0 if that would not help. */
  readonly retryAfter: number;

  /** `retryAfter` is in seconds. */
  constructor(reason: string, retryAfter: number) {
    super(`Cannot connect: the node refused (${reason})`);
    this.retryAfter = retryAfter;
  }
}

/** The asking side of a connection, before the channel stands. */
export class Caller {
  readonly #stream: ByteStream;
  readonly #commands: CommandStream;

  /** `stream` is a connection on which nothing has been said. */
  constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#commands = new CommandStream(stream);
  }

  /** HELO; resolves when OLEH has come back. Needs no keys. */
  async ping(): Promise<void> {
    await this.#ask(new CommandWriter().verb(HELO).done(), OLEH.name);
  }

  /** The node's certificate, which is to be verified by whoever asks. */
  async publicKey(): Promise<Bytes> {
    const commands = new CommandWriter().verb(PUBLIC_KEY).done();
    const answer = await this.#ask(commands, PUBLIC_KEY_IS.name);
    return answer.need(NODE_CERTIFICATE);
  }

  /**
   * HELLO, HELLO-ACK: a channel to whoever holds the private half of `nodeKey` (X25519, 32 bytes).
   * The ACK is the first record that is sent on it.
   *
   * @throws {ChannelError} ERR_HANDSHAKE_FAILED if the other side does not hold that key.
   */
  async connect(nodeKey: Bytes): Promise<Channel> {
    const handshake = await HandshakeState.initialize(
      HANDSHAKE_NAME,
      "initiator",
      { prologue: PROLOGUE, remoteStatic: nodeKey },
    );
    const hello = await handshake.write(EMPTY);
    const answer = await this.#ask(
      new CommandWriter(hello.length + 8).set(HANDSHAKE, hello).verb(HELLO)
        .done(),
      HELLO_ACK.name,
    );
    try {
      await handshake.read(answer.need(HANDSHAKE));
    } catch (cause) {
      throw failed("the node does not hold the key that was expected", cause);
    }
    return await channelOf(
      this.#stream,
      await handshake.split(),
      this.#commands.remainder(),
    );
  }

  async #ask(commands: Bytes, expected: string): Promise<Message> {
    await this.#commands.send(commands);
    const answer = await this.#commands.next();
    if (answer === undefined) {
      throw new ChannelError(
        "ERR_CHANNEL_CUT",
        `Cannot connect: the connection ended before ${expected}`,
      );
    }
    if (answer.verb === REFUSED) {
      throw new RefusedError(
        word(answer.get(REFUSAL) ?? EMPTY),
        answer.get(RETRY_AFTER) ?? 0,
      );
    }
    if (answer.verb.name !== expected) {
      throw new ChannelError(
        "ERR_CHANNEL_VIOLATION",
        `Cannot connect: ${answer.verb.name} came instead of ${expected}`,
      );
    }
    return answer;
  }
}

/** What a node answers with. */
export interface NodeKeys {
  /** The X25519 static pair. */
  readonly static: DhKeyPair;
  /** The encoded node certificate that holds its public half. */
  readonly certificate: Bytes;
}

/**
 * The answering side: greets, shows its certificate, and shakes hands.
 *
 * @returns the channel, or `undefined` if the other side ended without wanting one (a ping).
 * @throws {ChannelError | MalformedError} if it broke the rules.
 */
export async function answer(
  stream: ByteStream,
  keys: NodeKeys,
): Promise<Channel | undefined> {
  const commands = new CommandStream(stream);
  for (;;) {
    const message = await commands.next();
    if (message === undefined) return undefined;
    switch (message.verb) {
      case HELO:
        await commands.send(new CommandWriter().verb(OLEH).done());
        break;
      case PUBLIC_KEY:
        await commands.send(
          new CommandWriter(1_024).set(NODE_CERTIFICATE, keys.certificate)
            .verb(PUBLIC_KEY_IS).done(),
        );
        break;
      case HELLO:
        return await shake(stream, commands, keys, message.need(HANDSHAKE));
      default:
        // A known command that makes no sense here is skipped like an unknown one.
    }
  }
}

async function shake(
  stream: ByteStream,
  commands: CommandStream,
  keys: NodeKeys,
  hello: Bytes,
): Promise<Channel> {
  const handshake = await HandshakeState.initialize(
    HANDSHAKE_NAME,
    "responder",
    { prologue: PROLOGUE, static: keys.static },
  );
  let reply: Bytes;
  try {
    await handshake.read(hello);
    reply = await handshake.write(EMPTY);
  } catch (cause) {
    throw failed("HELLO was made for another key, or altered", cause);
  }
  const result = await handshake.split();
  await commands.send(
    new CommandWriter(reply.length + 8).set(HANDSHAKE, reply).verb(HELLO_ACK)
      .done(),
  );
  return await channelOf(stream, result, commands.remainder());
}

/** Tells a connection that it is not wanted, as far as it still listens. */
export async function refuse(
  stream: ByteStream,
  reason: string,
  retryAfter: number,
): Promise<void> {
  await new CommandStream(stream).send(
    new CommandWriter().set(REFUSAL, utf8(reason)).set(RETRY_AFTER, retryAfter)
      .verb(REFUSED).done(),
  );
}

async function channelOf(
  stream: ByteStream,
  result: HandshakeResult,
  early: Bytes,
): Promise<Channel> {
  const [send, receive] = await Promise.all([
    TrafficKey.of(result.sendKey),
    TrafficKey.of(result.receiveKey),
  ]);
  return new Channel(stream, { send, receive, hash: result.hash }, early);
}

function failed(why: string, cause: unknown): ChannelError {
  if (!(cause instanceof CryptoError || cause instanceof MalformedError)) {
    throw cause;
  }
  return new ChannelError(
    "ERR_HANDSHAKE_FAILED",
    `Cannot agree on keys: ${why}`,
    { cause },
  );
}

/** A word from a peer, fit to be shown. */
function word(bytes: Bytes): string {
  try {
    return fromUtf8(bytes).replaceAll(/[^a-z0-9-]/g, "?");
  } catch {
    return "?";
  }
}
