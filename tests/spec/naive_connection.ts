/**
 * A client that speaks to a real server over a socket with nothing but what SPEC.md says.
 *
 * @module
 */
import { credentials, data, submissionBytes } from "./naive_account.ts";
import { hello } from "./naive_handshake.ts";
import type { Agreed } from "./naive_handshake.ts";
import { join, sha256, sign } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import { bare, bodyOf, cutRecords, Direction } from "./naive_records.ts";
import { decode, encode } from "./naive_risp.ts";
import type { NaiveMessage, Value } from "./naive_risp.ts";
import { specTable, together } from "./naive_tables.ts";

const GREETING = specTable("greeting");
const LINK = together(
  specTable("account"),
  specTable("transfer"),
  specTable("mix"),
  specTable("mix chain"),
);
const INSIDE = together(LINK, specTable("mailbox"));
const LIMITS = { message: 266_240, skipped: 1_048_576 };

/** A command to be sent: a verb, or a parameter with its value. */
export type Command = string | readonly [string, Value];

/** The one value of a parameter. */
export function need<T extends Value>(message: NaiveMessage, name: string): T {
  const value = message.values.get(name)?.at(-1);
  if (value === undefined) throw new Error(`${message.verb} without ${name}`);
  return value as T;
}

/** A parameter that is a text. */
export function text(message: NaiveMessage, name: string): string {
  return new TextDecoder().decode(need<Octets>(message, name));
}

/** A connection, in the clear at first. */
export class NaiveConnection {
  readonly #socket: Deno.TcpConn;
  #arrived: Octets = new Uint8Array(0);
  #stream: Octets = new Uint8Array(0);
  #agreed: Agreed | undefined;
  #out: Direction | undefined;
  #in: Direction | undefined;
  #counter = 0n;
  #size = 65_536;
  /** Whether CLOSE has come. */
  closed = false;
  /** The longest plaintext, or body, of a record that has come. */
  longest = 0;
  /** Pushes that came while something else was awaited. */
  readonly pushes: NaiveMessage[] = [];

  constructor(socket: Deno.TcpConn) {
    this.#socket = socket;
  }

  /** The handshake hash. */
  get hash(): Octets {
    return this.#agreed!.hash;
  }

  /** Says something in the clear and takes the answer. */
  async ask(...commands: Command[]): Promise<NaiveMessage> {
    await this.#write(encode(GREETING, ...commands));
    for (;;) {
      const [message] = decode(this.#arrived, GREETING, LIMITS).messages;
      if (message !== undefined) {
        this.#arrived = this.#arrived.slice(message.end);
        return message;
      }
      await this.#read();
    }
  }

  /** Sends bytes as they are. */
  raw(bytes: Octets): Promise<void> {
    return this.#write(bytes);
  }

  /** Shakes hands with the holder of the agreement key `s` (§3.3). */
  async shake(s: Octets): Promise<void> {
    const begun = await hello(s);
    const answer = await this.ask(["HANDSHAKE", begun.hello], "HELLO");
    if (answer.verb !== "HELLO-ACK") throw new Error(answer.verb);
    this.#agreed = await begun.finish(need<Octets>(answer, "HANDSHAKE"));
    this.#out = new Direction(this.#agreed.fromClient);
    this.#in = new Direction(this.#agreed.fromServer);
  }

  /** Sends commands inside the channel, in records of at most `size` bytes from now on. */
  async send(
    commands: readonly Command[],
    size: number = this.#size,
  ): Promise<void> {
    this.#size = size;
    const bytes = encode(LINK, ...commands);
    for (let at = 0; at < bytes.length; at += size) {
      await this.#write(this.#out!.seal(bytes.slice(at, at + size)));
    }
  }

  /** Sends a body (§4.7), in bare records of at most `size` bytes. */
  async sendBody(body: Octets, size: number = this.#size): Promise<void> {
    for (let at = 0; at < body.length; at += size) {
      await this.#write(bare(body.slice(at, at + size)));
    }
  }

  /** The body of `length` bytes that the last message has announced. */
  async body(length: number): Promise<Octets> {
    if (this.#stream.length > 0) throw new Error("bytes before a body");
    let body: Octets = new Uint8Array(0);
    while (body.length < length) {
      const piece = bodyOf(await this.#record());
      if (piece === undefined) throw new Error("no body");
      this.longest = Math.max(this.longest, piece.length);
      body = join(body, piece);
    }
    if (body.length > length) throw new Error("a body that is too long");
    return body;
  }

  /** The next message inside the channel, or `undefined` behind CLOSE. */
  async next(): Promise<NaiveMessage | undefined> {
    for (;;) {
      const [message] = decode(this.#stream, LINK, LIMITS).messages;
      if (message !== undefined) {
        this.#stream = this.#stream.slice(message.end);
        return message;
      }
      if (this.closed) return undefined;
      const plaintext = this.#in!.open(await this.#record());
      this.closed = plaintext.length === 0;
      this.longest = Math.max(this.longest, plaintext.length);
      this.#stream = join(this.#stream, plaintext);
    }
  }

  /** Both directions go on under keys with a secret mixed in (§4.3). */
  mix(secret: Octets): void {
    this.#out!.mix(secret);
    this.#in!.mix(secret);
  }

  /** CREDENTIALS for this connection. */
  credentials(serverKey: Octets, auth: Octets, invite = ""): Octets {
    return credentials(serverKey, this.hash, auth, invite);
  }

  /** Submits commands (§5.8); the answers, or the KO. `altered` falsifies the data. */
  submit(
    username: string,
    seed: Octets,
    commands: readonly Command[],
    altered = false,
  ): Promise<readonly NaiveMessage[] | NaiveMessage> {
    const plaintext = encode(INSIDE, ...commands);
    return this.submitBytes(username, seed, plaintext, altered);
  }

  /** Submits a plaintext. */
  async submitBytes(
    username: string,
    seed: Octets,
    plaintext: Octets,
    altered = false,
  ): Promise<readonly NaiveMessage[] | NaiveMessage> {
    const counter = this.#counter++;
    const signed = submissionBytes(this.hash, counter, username, plaintext);
    await this.send([
      ...data(altered ? plaintext.map((byte) => byte ^ 1) : plaintext),
      ["VERIFICATION-SHA256", sha256(plaintext)],
      ["COUNTER", counter],
      ["SIGNATURE", sign(seed, signed)],
      ["USERNAME", new TextEncoder().encode(username)],
      "SUBMIT",
    ]);
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error("closed");
      if (message.verb === "PUSH") this.pushes.push(message);
      else if (need<bigint>(message, "COUNTER") !== counter) continue;
      else if (message.verb === "KO") return message;
      else return plaintextOf(message);
    }
  }

  /** The next push, whole or kept before; its messages. */
  async push(): Promise<
    { counter: bigint; messages: readonly NaiveMessage[] }
  > {
    const message = this.pushes.shift() ?? await this.next();
    if (message?.verb !== "PUSH") throw new Error(`${message?.verb}, no PUSH`);
    return {
      counter: need<bigint>(message, "COUNTER"),
      messages: plaintextOf(message),
    };
  }

  /** CLOSE (§4.5), and waits for the other side's. */
  async close(): Promise<void> {
    await this.#write(this.#out!.seal(new Uint8Array(0)));
    while (await this.next() !== undefined);
    this.drop();
  }

  /** Lets go of the socket. */
  drop(): void {
    try {
      this.#socket.close();
    } catch {
      // Closed before.
    }
  }

  async #record(): Promise<Octets> {
    for (;;) {
      const [record] = cutRecords(this.#arrived).records;
      if (record !== undefined) {
        this.#arrived = this.#arrived.slice(record.length);
        return record;
      }
      await this.#read();
    }
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(65_536);
    const count = await this.#socket.read(buffer);
    if (count === null) throw new Error("the server has hung up");
    this.#arrived = join(this.#arrived, buffer.slice(0, count));
  }

  async #write(bytes: Octets): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#socket.write(bytes.slice(at));
    }
  }
}

/** The messages in the data of an OK or a PUSH; throws if length or hash differ. */
function plaintextOf(message: NaiveMessage): readonly NaiveMessage[] {
  const pieces = (message.values.get("DATA") ?? []) as readonly Octets[];
  const plaintext = join(...pieces);
  const hash = need<Octets>(message, "VERIFICATION-SHA256");
  if (
    plaintext.length !== need<number>(message, "DATA-LENGTH") ||
    sha256(plaintext).toHex() !== hash.toHex()
  ) throw new Error("the data do not match");
  const { messages, end } = decode(plaintext, INSIDE, LIMITS);
  if (end !== "whole") throw new Error(`an answer that is ${end}`);
  return messages;
}
