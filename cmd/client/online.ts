import {
  ACCOUNT,
  AccountError,
  ClientSession,
  loginByKey,
  SessionKeyError,
} from "../../lib/account/mod.ts";
import type { NodeCertificate } from "../../lib/identity/mod.ts";
import { ServerKeyChangedError } from "../../lib/identity/mod.ts";
import { MAILBOX, MailboxClient } from "../../lib/mailbox/mod.ts";
import type { MailboxEvent, Opened } from "../../lib/mailbox/mod.ts";
import { Backoff } from "../../lib/net/mod.ts";
import { TRANSFER } from "../../lib/transfer/mod.ts";
import { ChannelError, Vocabulary } from "../../lib/protocol/mod.ts";
import { CommandError, UsageError } from "../errors.ts";
import type { Io } from "../io.ts";
import type { Profile } from "./profile.ts";
import { connectToServer } from "./server_link.ts";

/** Time for connecting, logging in and opening the mailbox, in milliseconds. */
const CONNECT_TIMEOUT = 15_000;
/** A server that is quiet for so long is asked whether it is there, in milliseconds. */
const PING_EVERY = 45_000;
/** Time for an answer to that, in milliseconds. */
const PING_TIMEOUT = 15_000;

/** A server that dies during a login falls silent as one does that does not know the keys. */
const SILENCES = 3;

const VOCABULARY = new Vocabulary(ACCOUNT, MAILBOX, TRANSFER);

/** Whether there is a connection, and if not why. */
export type OnlineStatus =
  | { readonly online: true; readonly opened: Opened | undefined }
  | { readonly online: false; readonly why: unknown; readonly retryIn: number };

export interface OnlineOptions {
  /** Whether letters are fetched, or only sent. */
  readonly receive: boolean;
  readonly onEvent: (event: MailboxEvent) => void;
  readonly onStatus?: (status: OnlineStatus) => void;
}

/**
 * A mailbox that stays connected: it comes back by itself, with growing pauses, until it is closed or
 * something happens that waiting cannot mend (another server key, an account that has moved).
 */
export class Online {
  readonly mailbox: MailboxClient;
  /** Rejects when it has ended for good; resolves when it was closed. */
  readonly ended: Promise<void>;
  /** Resolves with the first connection; rejects if it has ended for good before there was one. */
  readonly ready: Promise<Opened | undefined>;
  readonly #io: Io;
  readonly #profile: Profile;
  readonly #options: OnlineOptions;
  readonly #stop = new AbortController();
  readonly #first: (opened: Opened | undefined) => void;
  #session: ClientSession | undefined;
  #node: NodeCertificate | undefined;
  #lastFailure: unknown;
  #arrived = 0;

  private constructor(
    io: Io,
    profile: Profile,
    mailbox: MailboxClient,
    options: OnlineOptions,
  ) {
    this.#io = io;
    this.#profile = profile;
    this.mailbox = mailbox;
    this.#options = options;
    const first = Promise.withResolvers<Opened | undefined>();
    this.#first = first.resolve;
    this.ready = first.promise;
    this.ended = this.#run();
    this.ended.then(() => {
      first.reject(
        new ChannelError("ERR_CHANNEL_CLOSED", "Cannot connect: closed"),
      );
    }, first.reject);
    this.ready.catch(() => {});
    // Whoever does not wait for the end is told by `first` or by what fails next.
    this.ended.catch(() => {});
  }

  static async start(
    io: Io,
    profile: Profile,
    options: OnlineOptions,
  ): Promise<Online> {
    const mailbox = await MailboxClient.open({
      vault: profile.vault,
      keyring: profile.keyring,
      now: () => io.now(),
      onEvent: options.onEvent,
    });
    return new Online(io, profile, mailbox, options);
  }

  /** The session, while there is one. */
  get session(): ClientSession | undefined {
    return this.#session;
  }

  /** Why there was no connection at the last attempt. */
  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  /** How many letters the server has handed over since the start, each safe in the vault by now. */
  get arrived(): number {
    return this.#arrived;
  }

  /** The server's certificate, once it was seen. */
  get node(): NodeCertificate | undefined {
    return this.#node;
  }

  /** Lets what was begun come to its end, then says CLOSE. */
  async close(): Promise<void> {
    await this.mailbox.settled();
    this.#stop.abort();
    await this.#session?.close();
    await this.ended.catch(() => {});
  }

  async #run(): Promise<void> {
    const backoff = new Backoff();
    let silences = 0;
    while (!this.#stop.signal.aborted) {
      try {
        const session = await this.#connect();
        backoff.reset();
        silences = 0;
        const error = await this.#watch(session);
        if (this.#stop.signal.aborted) return;
        throw error ?? new Error("the server closed the connection");
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        const silent = error instanceof SessionKeyError;
        silences = silent ? silences + 1 : 0;
        if (isFinal(error) || silences >= SILENCES) throw error;
        this.#lastFailure = error;
        const retryIn = Math.max(backoff.next(), waitOf(error));
        this.#options.onStatus?.({ online: false, why: error, retryIn });
        await pause(retryIn, this.#stop.signal);
      }
    }
  }

  async #connect(): Promise<ClientSession> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), CONNECT_TIMEOUT);
    const signal = AbortSignal.any([late.signal, this.#stop.signal]);
    try {
      const { account, keyring, route } = this.#profile;
      const { link, node } = await connectToServer(
        this.#io,
        route,
        account.server,
        signal,
      );
      this.#node = node;
      const drop = () => link.abort();
      signal.addEventListener("abort", drop);
      if (signal.aborted) drop();
      await loginByKey(link, keyring, account.usrKey);
      const session = new ClientSession(
        link,
        keyring,
        VOCABULARY,
        async (pushed) => {
          await this.mailbox.onPush(pushed);
          this.#arrived += pushed.length;
        },
      );
      const { receive, onStatus } = this.#options;
      const opened = await this.mailbox.attach(session, { receive });
      signal.removeEventListener("abort", drop);
      this.#session = session;
      onStatus?.({ online: true, opened });
      this.#first(opened);
      return session;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for the end of a session, asking now and then whether the server is there. */
  async #watch(session: ClientSession): Promise<Error | undefined> {
    const asking = setInterval(async () => {
      const timer = setTimeout(() => session.abort(), PING_TIMEOUT);
      try {
        await session.ping();
      } catch {
        // The session's end says it.
      }
      clearTimeout(timer);
    }, PING_EVERY);
    try {
      return await session.ended;
    } finally {
      clearInterval(asking);
      this.#session = undefined;
    }
  }
}

/** Whether waiting cannot mend it. */
function isFinal(error: unknown): boolean {
  return error instanceof ServerKeyChangedError ||
    error instanceof CommandError ||
    error instanceof UsageError ||
    error instanceof AccountError && error.reason !== "throttled" &&
      error.reason !== "internal";
}

function waitOf(error: unknown): number {
  return error instanceof AccountError ? error.retryIn * 1_000 : 0;
}

/** Resolves after `milliseconds`, or when `signal` aborts. */
export function pause(
  milliseconds: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}
