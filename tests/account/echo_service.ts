import type { ServerSession, Service } from "../../lib/account/mod.ts";
import {
  bytes,
  CommandWriter,
  integer,
  MalformedError,
  verb,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandTable, Message } from "../../lib/protocol/mod.ts";
import type { TestServerOptions } from "../support/server.ts";

export const BLOB = bytes(0xa700, "BLOB", "any bytes");
export const NUMBER = integer(0x2700, "NUMBER", "any number");
export const ECHO = verb(0x7700, "ECHO", "answer with the same");
export const ECHOED = verb(0x7701, "ECHOED", "the same");
export const STUMBLE = verb(0x7702, "STUMBLE", "fail inside");
export const MISREAD = verb(0x7703, "MISREAD", "fail to read it");

/** Commands of a service that exists in tests only. */
export const ECHO_TABLE: CommandTable = {
  service: "echo",
  parameters: [BLOB, NUMBER],
  verbs: [ECHO, ECHOED, STUMBLE, MISREAD],
};

/** Answers with what it got, and remembers who asked. */
export class EchoService implements Service {
  readonly verbs: ReadonlySet<string> = new Set(
    [ECHO, STUMBLE, MISREAD].map(({ name }) => name),
  );
  readonly sessions = new Set<ServerSession>();
  readonly gone: ServerSession[] = [];
  #onGone: () => void = () => {};
  /** The NUMBERs that it was sent, in the order of their handling. */
  readonly numbers: number[] = [];
  /** Awaited before every answer. */
  delay: (message: Message) => Promise<void> = () => Promise.resolve();
  /** What is answered where no BLOB was sent. */
  padding: Bytes | undefined;

  async handle(session: ServerSession, message: Message): Promise<Bytes> {
    this.sessions.add(session);
    const number = message.get(NUMBER);
    if (number !== undefined) this.numbers.push(number);
    await this.delay(message);
    if (message.verb === STUMBLE) throw new Error("Cannot go on: stumbled");
    if (message.verb === MISREAD) throw new MalformedError("Cannot read it");
    const blob = message.get(BLOB) ?? this.padding;
    return new CommandWriter((blob?.length ?? 0) + 64).set(BLOB, blob)
      .set(NUMBER, number).verb(ECHOED).done();
  }

  left(session: ServerSession): void {
    this.gone.push(session);
    this.#onGone();
  }

  /** Resolves when `count` sessions have ended, and what follows their end has happened. */
  async untilGone(count: number): Promise<void> {
    while (this.gone.length < count) {
      await new Promise<void>((resolve) => this.#onGone = resolve);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Options of a test server that has this service. */
  get installed(): TestServerOptions {
    return { services: [this], tables: [ECHO_TABLE] };
  }
}

/** An ECHO of a number, of bytes, or of both. */
export function echo(number?: number, blob?: Bytes): Bytes {
  return new CommandWriter((blob?.length ?? 0) + 64).set(BLOB, blob)
    .set(NUMBER, number).verb(ECHO).done();
}
