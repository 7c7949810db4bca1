import { parseNodeCertificate } from "../identity/mod.ts";
import type {
  NodeCertificate,
  NodeKeyring,
  ServerAddress,
} from "../identity/mod.ts";
import type { Bytes, ByteStream, Message, Verb } from "../protocol/mod.ts";
import {
  Caller,
  ChannelError,
  CommandChannel,
  CommandWriter,
  fromUtf8,
} from "../protocol/mod.ts";
import { sameBytes } from "./byte_order.ts";
import { proofOf } from "./channel_proof.ts";
import {
  ALIVE_EVERY,
  BODY_LENGTH,
  DECLINE_REASON,
  DECLINED,
  DIRECTORY_VOCABULARY,
  PROOF,
  PROVE,
  PROVED,
  PROVER,
  SEEN_HOST,
} from "./commands.ts";
import { DirectoryError } from "./directory_error.ts";

/** Opens a connection to a controller; rejects if nobody answers there, or when `signal` fires. */
export type DialController = (
  address: ServerAddress,
  signal?: AbortSignal,
) => Promise<ByteStream>;

/** What a controller tells a node that has proved who it is. */
export interface Welcome {
  /** The IP address from which the controller sees the node. */
  readonly seenHost: string;
  /** Milliseconds between two signs of life. */
  readonly aliveEvery: number;
}

/** Silence after which a controller counts as gone, in milliseconds. */
const PATIENCE = 30_000;

/** A connection to a controller that has shown the key its address names. One question at a time. */
export class ControllerLink {
  /** Who answers. */
  readonly controller: NodeCertificate;
  readonly #stream: ByteStream;
  readonly #channel: CommandChannel;

  private constructor(
    stream: ByteStream,
    channel: CommandChannel,
    controller: NodeCertificate,
  ) {
    this.#stream = stream;
    this.#channel = channel;
    this.controller = controller;
  }

  /**
   * Connects, and insists on the fingerprint in the address.
   *
   * @param signal gives the attempt up; the link that came to be is the caller's.
   * @throws {DirectoryError} `ERR_DIRECTORY_KEY` if another node answers.
   * @throws {ChannelError | MalformedError | RefusedError} or whatever `dial` throws.
   */
  static async open(
    address: ServerAddress,
    dial: DialController,
    signal?: AbortSignal,
  ): Promise<ControllerLink> {
    const stream = await dial(address, signal);
    const drop = () => closeQuietly(stream);
    signal?.addEventListener("abort", drop);
    if (signal?.aborted) drop();
    try {
      return await withinTime(stream, PATIENCE, async () => {
        const caller = new Caller(stream);
        const node = await parseNodeCertificate(await caller.publicKey());
        const { fingerprint } = address;
        if (
          fingerprint === undefined || !sameBytes(fingerprint, node.fingerprint)
        ) {
          throw new DirectoryError(
            "ERR_DIRECTORY_KEY",
            "Cannot trust a controller: it does not have the key that its address names",
          );
        }
        const channel = new CommandChannel(
          await caller.connect(node.dhKey),
          DIRECTORY_VOCABULARY,
          { messageBytes: 4_096, skippedBytes: 65_536 },
        );
        return new ControllerLink(stream, channel, node);
      });
    } catch (error) {
      drop();
      throw error;
    } finally {
      signal?.removeEventListener("abort", drop);
    }
  }

  /**
   * Sends a question and awaits its answer.
   *
   * @param patience milliseconds, if the answer may take longer than others.
   * @throws {DirectoryError} `ERR_DIRECTORY_DECLINED` with the controller's reason.
   * @throws {ChannelError | MalformedError} if the connection breaks, or anything else comes.
   */
  async ask(
    commands: Bytes,
    expected: readonly Verb[],
    patience: number = PATIENCE,
  ): Promise<Message> {
    return await withinTime(this.#stream, patience, async () => {
      await this.#channel.send(commands);
      const answer = await this.#channel.next();
      if (answer === null) throw ended();
      if (answer.verb === DECLINED) throw declined(answer.get(DECLINE_REASON));
      if (!expected.includes(answer.verb)) {
        throw new ChannelError(
          "ERR_CHANNEL_VIOLATION",
          `Cannot take an answer: ${answer.verb.name} was not expected`,
        );
      }
      return answer;
    });
  }

  /** The body that an answer has announced, of at most `limit` bytes. */
  async body(answer: Message, limit: number): Promise<Bytes> {
    const length = answer.need(BODY_LENGTH);
    if (length > limit) {
      throw new ChannelError(
        "ERR_CHANNEL_VIOLATION",
        `Cannot take an answer: ${length} bytes, at most ${limit}`,
      );
    }
    return await withinTime(
      this.#stream,
      patienceFor(length),
      () => this.#channel.body(length),
    );
  }

  /** Sends what needs no answer. */
  async tell(commands: Bytes, body?: Bytes): Promise<void> {
    await withinTime(
      this.#stream,
      patienceFor(body?.length ?? 0),
      () =>
        body === undefined
          ? this.#channel.send(commands)
          : this.#channel.sendWithBody(commands, body),
    );
  }

  /** Proves who we are, by a signature that is bound to this very connection. */
  async prove(keyring: NodeKeyring): Promise<Welcome> {
    const proof = await proofOf(this.#channel.hash, keyring);
    const commands = new CommandWriter(1_024)
      .set(PROVER, keyring.certificate.bytes).set(PROOF, proof).verb(PROVE)
      .done();
    const answer = await this.ask(commands, [PROVED]);
    return {
      seenHost: fromUtf8(answer.need(SEEN_HOST)),
      aliveEvery: answer.need(ALIVE_EVERY),
    };
  }

  /** Ends the connection in an orderly way. */
  async close(): Promise<void> {
    await this.#channel.close();
  }

  /** Drops it. */
  abort(): void {
    this.#channel.abort();
  }
}

/** As long again for every megabyte: slow lines have a right to a directory, too. */
function patienceFor(bytes: number): number {
  return PATIENCE * (1 + Math.floor(bytes / 1_048_576));
}

/** Closes the stream under `work` when it takes longer than `milliseconds`. */
export async function withinTime<T>(
  stream: ByteStream,
  milliseconds: number,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => closeQuietly(stream), milliseconds);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** Closes what may be closed already. */
export function closeQuietly(stream: ByteStream): void {
  try {
    stream.close();
  } catch {
    // Closed before: there is nothing left to do.
  }
}

function ended(): ChannelError {
  return new ChannelError(
    "ERR_CHANNEL_CUT",
    "Cannot ask a controller: it has ended the connection",
  );
}

function declined(why: Bytes | undefined): DirectoryError {
  const reason = why === undefined || why.length === 0
    ? "unknown"
    : String.fromCharCode(...why.subarray(0, 40)).replace(/[^a-z0-9-]/g, "?");
  return new DirectoryError(
    "ERR_DIRECTORY_DECLINED",
    `Cannot go on with a controller: it declined (${reason})`,
    { reason },
  );
}
