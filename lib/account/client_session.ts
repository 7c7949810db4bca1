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
  fromUtf8,
  HELO,
  MalformedError,
  sha256,
  sign,
  utf8,
} from "../protocol/mod.ts";
import type { Keyring } from "../identity/mod.ts";
import { AccountError, refusalOf, SessionKeyError } from "./account_error.ts";
import {
  COUNTER,
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

/** Submissions without an answer beyond which further requests wait and gather. */
const SUBMISSIONS_IN_FLIGHT = 8;
/** Requests that share one submission, and so one signature: at most so many, and so many bytes. */
const REQUESTS_TOGETHER = 100;
const BYTES_TOGETHER = 49_152;
/** How often a submission is sent whose checksum did not match at the other side. */
const ATTEMPTS = 3;
/** How long an OK may wait for a submission that it can travel with, in milliseconds. */
const OK_DELAY = 20;

const ACTION = "go on";

interface Request {
  readonly command: Bytes;
  /** How often it has been submitted. */
  attempts: number;
  readonly resolve: (answer: Message) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Takes what the server pushes. The promise settles when there is room for more; a server that must
 * not forget something before it is safe waits for a command of its service that says so.
 */
export type PushHandler = (messages: readonly Message[]) => Promise<void>;

/**
 * A session with a server, as the client sees it. Requests that are made in one turn of the event
 * loop, or while a signature is under way, gather and share the next submission (S1.4, S2.6).
 */
export class ClientSession {
  /** Resolves when the session has ended: with the error, or with `undefined` after either's CLOSE. */
  readonly ended: Promise<Error | undefined>;
  readonly #link: CommandChannel;
  readonly #keyring: Keyring;
  readonly #username: Bytes;
  readonly #vocabulary: Vocabulary;
  readonly #onPush: PushHandler;
  #counter = 0n;
  #waiting: Request[] = [];
  #signing = false;
  readonly #unanswered = new Map<bigint, readonly Request[]>();
  #error: Error | undefined;
  #confirmed = false;
  #nextPush = 0n;
  #pushes: Promise<void> = Promise.resolve();
  #toConfirm: bigint | undefined;
  #confirmTimer: ReturnType<typeof setTimeout> | undefined;
  #pings: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #closing = false;

  /** `onPush` takes what the server sends without being asked. */
  constructor(
    link: CommandChannel,
    keyring: Keyring,
    vocabulary: Vocabulary,
    onPush: PushHandler,
  ) {
    this.#link = link;
    this.#keyring = keyring;
    this.#username = utf8(keyring.certificate.address);
    this.#vocabulary = vocabulary;
    this.#onPush = onPush;
    this.ended = this.#run();
  }

  /** The handshake hash of the connection, 32 bytes. */
  get channelHash(): Bytes {
    return this.#link.hash;
  }

  /**
   * Asks the server for one thing (one encoded command); its answer.
   *
   * @throws {AccountError} if the server refuses; "too-large" if the command is longer than 256 KiB.
   * @throws {ChannelError} if the connection fails before the answer has come: it may have been done.
   * @throws {SessionKeyError} if it turns out that the session keys do not agree.
   */
  request(command: Bytes): Promise<Message> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (command.length > SUBMISSION_LIMIT) {
      return Promise.reject(new AccountError(ACTION, "too-large"));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, attempts: 0, resolve, reject });
      // What is asked for in one turn of the event loop shares a submission.
      if (this.#waiting.length === 1) setImmediate(() => this.#pump());
    });
  }

  /**
   * Resolves when something has come from the server, which is asked whether it is there.
   *
   * @throws {ChannelError | SessionKeyError} as `request`.
   */
  ping(): Promise<void> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      this.#pings.push({ resolve, reject });
      this.#send(new CommandWriter().verb(HELO).done());
    });
  }

  /** Sends what is queued, then CLOSE (S1.5). Requests without an answer are rejected. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#flushConfirmation();
    await this.#link.close();
    await this.ended;
  }

  /** Drops the connection. */
  abort(): void {
    this.#link.abort();
  }

  async #run(): Promise<Error | undefined> {
    let error: Error | undefined;
    try {
      for (;;) {
        const message = await this.#link.next();
        if (message === null) break;
        for (const { resolve } of this.#pings.splice(0)) resolve();
        await this.#take(message);
      }
    } catch (cause) {
      if (!this.#closing) error = this.#explain(cause);
    }
    this.#link.abort();
    clearTimeout(this.#confirmTimer);
    this.#fail(
      error ??
        new ChannelError(
          "ERR_CHANNEL_CLOSED",
          "Cannot ask: the session is over",
        ),
    );
    await this.#pushes;
    return error;
  }

  /** Before anything has opened under the new keys, a failure means that they do not agree (S2.7). */
  #explain(cause: unknown): Error {
    const silent = cause instanceof ChannelError && !this.#confirmed &&
      (cause.code === "ERR_CHANNEL_FORGED" || cause.code === "ERR_CHANNEL_CUT");
    if (silent && this.#counter > 0n) return new SessionKeyError({ cause });
    return cause instanceof Error ? cause : new Error(String(cause));
  }

  #fail(error: Error): void {
    this.#error = error;
    const requests = [...this.#unanswered.values()].flat();
    this.#unanswered.clear();
    const waiting = [
      ...requests,
      ...this.#waiting.splice(0),
      ...this.#pings.splice(0),
    ];
    for (const { reject } of waiting) reject(error);
  }

  async #take(message: Message): Promise<void> {
    this.#confirmed = true;
    switch (message.verb) {
      case OK:
        return await this.#takeAnswers(message);
      case KO:
        return this.#takeRefusal(message);
      case PUSH:
        return await this.#takePush(message);
      default:
        // OLEH has been noticed by its arrival; anything else is like an unknown command.
    }
  }

  async #takeAnswers(message: Message): Promise<void> {
    const counter = message.need(COUNTER);
    const requests = this.#unanswered.get(counter);
    if (requests === undefined) return;
    const plaintext = await readData(message);
    if (plaintext === undefined) {
      return this.#again(
        counter,
        requests,
        new AccountError(ACTION, "checksum"),
      );
    }
    const answers = parseCommands(plaintext, this.#vocabulary);
    if (answers.length !== requests.length) {
      throw new MalformedError(
        `Cannot take answers: ${answers.length} came for ${requests.length} requests`,
      );
    }
    this.#unanswered.delete(counter);
    requests.forEach(({ resolve, reject }, i) => {
      const answer = answers[i]!;
      if (answer.verb === DENIED) reject(denied(answer));
      else resolve(answer);
    });
    this.#pump();
  }

  #takeRefusal(message: Message): void {
    const counter = message.need(COUNTER);
    const requests = this.#unanswered.get(counter);
    if (requests === undefined) return;
    const error = denied(message);
    if (error.reason === "checksum") {
      return this.#again(counter, requests, error);
    }
    this.#unanswered.delete(counter);
    for (const { reject } of requests) reject(error);
    this.#pump();
  }

  /**
   * What did not arrive whole is submitted again, under a new counter and signature (S0.8), but not
   * for ever.
   */
  #again(
    counter: bigint,
    requests: readonly Request[],
    error: AccountError,
  ): void {
    this.#unanswered.delete(counter);
    for (const { attempts, reject } of requests) {
      if (attempts >= ATTEMPTS) reject(error);
    }
    this.#waiting.unshift(...requests.filter((r) => r.attempts < ATTEMPTS));
    this.#pump();
  }

  async #takePush(message: Message): Promise<void> {
    const counter = message.need(COUNTER);
    if (counter !== this.#nextPush) return;
    const plaintext = await readData(message);
    if (plaintext === undefined) {
      const commands = new CommandWriter().set(COUNTER, counter)
        .set(REASON, utf8("checksum")).verb(KO).done();
      return await this.#link.send(commands);
    }
    this.#nextPush++;
    const messages = parseCommands(plaintext, this.#vocabulary);
    this.#pushes = this.#pushes.then(async () => {
      try {
        await this.#onPush(messages);
      } catch {
        // OK only says that there is room for more: what must not be lost has its own way to say so.
      }
      this.#confirm(counter);
    });
  }

  #confirm(counter: bigint): void {
    if (this.#error !== undefined) return;
    this.#toConfirm = counter;
    this.#confirmTimer ??= setTimeout(
      () => this.#flushConfirmation(),
      OK_DELAY,
    );
  }

  #flushConfirmation(): void {
    const commands = this.#takeConfirmation();
    if (commands !== undefined) this.#send(commands);
  }

  #takeConfirmation(): Bytes | undefined {
    clearTimeout(this.#confirmTimer);
    this.#confirmTimer = undefined;
    const counter = this.#toConfirm;
    this.#toConfirm = undefined;
    if (counter === undefined) return undefined;
    return new CommandWriter().set(COUNTER, counter).verb(OK).done();
  }

  #pump(): void {
    if (
      this.#signing || this.#waiting.length === 0 ||
      this.#unanswered.size >= SUBMISSIONS_IN_FLIGHT
    ) return;
    let bytes = 0;
    let count = 0;
    while (count < this.#waiting.length && count < REQUESTS_TOGETHER) {
      bytes += this.#waiting[count]!.command.length;
      if (count > 0 && bytes > BYTES_TOGETHER) break;
      count++;
    }
    this.#submit(this.#waiting.splice(0, count));
  }

  /** One signature at a time: counters must arrive in order. */
  async #submit(requests: readonly Request[]): Promise<void> {
    this.#signing = true;
    const counter = this.#counter++;
    this.#unanswered.set(counter, requests);
    for (const request of requests) request.attempts++;
    try {
      const plaintext = concat(...requests.map((r) => r.command));
      const [hash, signature] = await Promise.all([
        sha256(plaintext),
        sign(
          this.#keyring.signing.privateKey,
          signedBytes(this.#link.hash, counter, this.#username, plaintext),
        ),
      ]);
      const writer = new CommandWriter(plaintext.length + 256);
      const confirmation = this.#takeConfirmation();
      if (confirmation !== undefined) writer.append(confirmation);
      writer.set(USERNAME, this.#username).set(COUNTER, counter)
        .set(SIGNATURE, signature);
      await this.#send(writeData(writer, plaintext, hash).verb(SUBMIT).done());
    } catch (error) {
      this.#unanswered.delete(counter);
      for (const { reject } of requests) reject(error);
    } finally {
      this.#signing = false;
      this.#pump();
    }
  }

  async #send(commands: Bytes): Promise<void> {
    try {
      await this.#link.send(commands);
    } catch {
      // The connection is gone; the receiving side says so to everybody who waits.
    }
  }
}

function denied(message: Message): AccountError {
  const word = message.get(REASON);
  return new AccountError(
    ACTION,
    refusalOf(word === undefined ? "" : fromUtf8(word)),
    message.get(RETRY_IN) ?? 0,
  );
}
