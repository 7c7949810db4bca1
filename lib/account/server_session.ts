import type {
  Bytes,
  CommandChannel,
  Message,
  Vocabulary,
} from "../protocol/mod.ts";
import {
  ChannelError,
  CommandWriter,
  concat,
  equalConstantTime,
  HELO,
  importVerifying,
  MalformedError,
  OLEH,
  sha256,
  utf8,
  verify,
} from "../protocol/mod.ts";
import type { Certificate } from "../identity/mod.ts";
import { AccountError } from "./account_error.ts";
import type { Refusal } from "./account_error.ts";
import {
  COUNTER,
  DATA_LENGTH,
  DENIED,
  KO,
  OK,
  PUSH,
  REASON,
  RETRY_IN,
  SIGNATURE,
  SUBMIT,
  USERNAME,
} from "./commands.ts";
import {
  parseCommands,
  readData,
  signedBytes,
  SUBMISSION_LIMIT,
  writeData,
} from "./submission.ts";

/** Submissions of one connection that are worked on at once. */
const SUBMISSIONS_IN_FLIGHT = 32;
/** Pushes that a client may leave without OK before it is cut off. */
const PUSH_LIMIT = 1_024;

/** A service that answers commands inside submissions. */
export interface Service {
  /** The names of the verbs it answers. */
  readonly verbs: ReadonlySet<string>;
  /**
   * Answers one command with one encoded message. Up to a hundred requests share an answer of at most
   * 262,144 bytes, so that one message should not take more than 2,600 of them.
   *
   * @throws {AccountError} becomes DENIED with its reason.
   */
  handle(session: ServerSession, message: Message): Promise<Bytes>;
  /** The connection is gone. */
  left(session: ServerSession): void;
}

interface Unanswered {
  readonly plaintext: Bytes;
  readonly resolve: () => void;
}

/** What came of checking a submission: its commands, or why it is not taken. */
type Checked = { readonly messages: readonly Message[] } | {
  readonly ko: Refusal;
};

/**
 * A client that has logged in, as the server sees it. Submissions are checked and executed many at a
 * time: their commands begin in the order in which they came, and answers leave as they are ready.
 */
export class ServerSession {
  /** The account's certificate. */
  readonly certificate: Certificate;
  /** A label for logs that tells nothing about the account. */
  readonly id: number;
  readonly #link: CommandChannel;
  readonly #username: Bytes;
  readonly #verifying: Promise<CryptoKey>;
  readonly #vocabulary: Vocabulary;
  readonly #services: readonly Service[];
  readonly #failed: (error: unknown) => void;
  #lastCounter = -1n;
  #closing = false;
  #revoked = false;
  #inOrder: Promise<void> = Promise.resolve();
  #inFlight = 0;
  #room: (() => void) | undefined;
  #pushCounter = 0n;
  #pushing: Promise<void> = Promise.resolve();
  readonly #unanswered = new Map<bigint, Unanswered>();

  /** `failed` is told of what went wrong inside. */
  constructor(
    link: CommandChannel,
    certificate: Certificate,
    id: number,
    services: readonly Service[],
    vocabulary: Vocabulary,
    failed: (error: unknown) => void,
  ) {
    this.#link = link;
    this.certificate = certificate;
    this.id = id;
    this.#username = utf8(certificate.address);
    this.#verifying = importVerifying(certificate.signingKey);
    this.#services = services;
    this.#vocabulary = vocabulary;
    this.#failed = failed;
  }

  /** The account's address. */
  get address(): string {
    return this.certificate.address;
  }

  /** The handshake hash of the connection, 32 bytes. */
  get channelHash(): Bytes {
    return this.#link.hash;
  }

  /**
   * Answers the client until either side closes or the connection fails.
   *
   * @param alive is called whenever something has come in.
   */
  async serve(alive: () => void): Promise<void> {
    try {
      while (await this.#serveNext(alive));
    } catch (error) {
      if (!this.#closing) throw error;
    } finally {
      for (const service of this.#services) service.left(this);
      this.#unanswered.clear();
    }
  }

  /**
   * A call for each message, or a session that waits would hold on to its last one: some 2 KiB.
   *
   * @returns whether there may be another.
   */
  async #serveNext(alive: () => void): Promise<boolean> {
    const message = await this.#link.next();
    if (message === null) return false;
    alive();
    await this.#take(message);
    return true;
  }

  /**
   * Sends commands to the client without being asked; resolves when it has said OK. When the
   * connection fails it stays unresolved: what matters is kept elsewhere.
   */
  push(commands: Bytes): Promise<void> {
    if (this.#unanswered.size >= PUSH_LIMIT) {
      this.#link.abort();
      return new Promise(() => {});
    }
    const counter = this.#pushCounter++;
    return new Promise((resolve) => {
      this.#unanswered.set(counter, { plaintext: commands, resolve });
      this.#sendPush(counter, commands);
    });
  }

  /** Nothing more is done for this session; the answers to what was done still leave. */
  revoke(): void {
    this.#revoked = true;
  }

  /** Ends the session without waiting for anything. */
  abort(): void {
    this.#link.abort();
  }

  /** Sends what is queued, then CLOSE. */
  close(): Promise<void> {
    this.#closing = true;
    return this.#link.close();
  }

  async #take(message: Message): Promise<void> {
    switch (message.verb) {
      case HELO:
        await this.#send(new CommandWriter().verb(OLEH));
        break;
      case SUBMIT:
        await this.#takeSubmission(message);
        break;
      case OK:
        this.#answered(message.need(COUNTER));
        break;
      case KO:
        await this.#sendAgain(message.need(COUNTER));
        break;
      default:
        // Like an unknown command.
    }
  }

  /** OK is cumulative. */
  #answered(counter: bigint): void {
    for (const [each, { resolve }] of this.#unanswered) {
      if (each > counter) break;
      this.#unanswered.delete(each);
      resolve();
    }
  }

  /**
   * The client takes pushes in order only: from the one that did not arrive whole, all come again.
   * Resolves when they have left, so that many a KO does not make a long queue.
   */
  async #sendAgain(from: bigint): Promise<void> {
    for (const [counter, { plaintext }] of this.#unanswered) {
      if (counter >= from) this.#sendPush(counter, plaintext);
    }
    await this.#pushing;
  }

  async #takeSubmission(message: Message): Promise<void> {
    const counter = message.need(COUNTER);
    if (counter <= this.#lastCounter) {
      throw new ChannelError(
        "ERR_CHANNEL_VIOLATION",
        "Cannot take a submission: its counter was used before",
      );
    }
    this.#lastCounter = counter;
    const checked = this.#check(message, counter);
    checked.catch(() => {/* thrown again where it is awaited */});
    this.#inFlight++;
    // The checks run side by side, the commands begin in order.
    this.#inOrder = this.#inOrder.then(async () => {
      const result = await checked;
      this.#execute(counter, result);
    }).catch((error) => {
      this.#broken(error);
      this.#leftOne();
    });
    while (this.#inFlight >= SUBMISSIONS_IN_FLIGHT) {
      await new Promise<void>((resolve) => this.#room = resolve);
    }
  }

  async #check(message: Message, counter: bigint): Promise<Checked> {
    try {
      if (message.need(DATA_LENGTH) > SUBMISSION_LIMIT) {
        return { ko: "too-large" };
      }
      const plaintext = await readData(message);
      if (plaintext === undefined) return { ko: "checksum" };
      const named = equalConstantTime(message.need(USERNAME), this.#username);
      const signed = named && await verify(
        await this.#verifying,
        message.need(SIGNATURE),
        signedBytes(this.#link.hash, counter, this.#username, plaintext),
      );
      if (!signed) return { ko: "signature" };
      return { messages: parseCommands(plaintext, this.#vocabulary) };
    } catch (error) {
      if (error instanceof MalformedError) return { ko: "malformed" };
      throw error;
    }
  }

  async #execute(counter: bigint, checked: Checked): Promise<void> {
    try {
      if ("ko" in checked) return await this.#refuse(counter, checked.ko);
      const answers = await Promise.all(
        checked.messages.map((message) => this.#handle(message)),
      );
      const plaintext = concat(...answers);
      if (plaintext.length > SUBMISSION_LIMIT) {
        return await this.#refuse(counter, "too-large");
      }
      const writer = new CommandWriter(plaintext.length + 96)
        .set(COUNTER, counter);
      writeData(writer, plaintext, await sha256(plaintext));
      await this.#send(writer.verb(OK));
    } catch (error) {
      this.#broken(error);
    } finally {
      this.#leftOne();
    }
  }

  async #refuse(counter: bigint, reason: Refusal): Promise<void> {
    const writer = new CommandWriter().set(COUNTER, counter)
      .set(REASON, utf8(reason));
    await this.#send(writer.verb(KO));
  }

  /** Must follow every submission, whatever became of it, or `serve` would wait for room for ever. */
  #leftOne(): void {
    this.#inFlight--;
    this.#room?.();
    this.#room = undefined;
  }

  #broken(error: unknown): void {
    this.#failed(error);
    this.#link.abort();
  }

  async #handle(message: Message): Promise<Bytes> {
    const service = this.#services.find(({ verbs }) =>
      verbs.has(message.verb.name)
    );
    try {
      if (this.#revoked) throw new AccountError("answer", "unknown-person");
      if (service === undefined) {
        throw new AccountError("answer", "unknown-command");
      }
      return await service.handle(this, message);
    } catch (error) {
      const reason = error instanceof AccountError
        ? error.reason
        : error instanceof MalformedError
        ? "malformed"
        : "internal";
      if (reason === "internal") this.#failed(error);
      const retryIn = error instanceof AccountError ? error.retryIn : 0;
      return new CommandWriter().set(REASON, utf8(reason))
        .set(RETRY_IN, retryIn === 0 ? undefined : retryIn)
        .verb(DENIED).done();
    }
  }

  /** Hashes run side by side, pushes leave in order. */
  #sendPush(counter: bigint, plaintext: Bytes): void {
    const hashed = sha256(plaintext);
    this.#pushing = this.#pushing.then(async () => {
      const writer = new CommandWriter(plaintext.length + 96)
        .set(COUNTER, counter);
      await this.#send(writeData(writer, plaintext, await hashed).verb(PUSH));
    });
  }

  /** Resolves when there is room for more, so that whoever does not read is not read either. */
  async #send(writer: CommandWriter): Promise<void> {
    try {
      await this.#link.send(writer.done());
    } catch {
      // The connection is gone; `serve` ends by itself.
    }
  }
}
