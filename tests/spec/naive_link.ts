/**
 * A link, written from SPEC.md §12.1 and §12.2, either side.
 *
 * @module
 */
import type { ByteStream } from "../../lib/protocol/mod.ts";
import { headerOf, readHeaders } from "./naive_cells.ts";
import type { NaiveCell } from "./naive_cells.ts";
import { hello, helloAck } from "./naive_handshake.ts";
import type { Agreed } from "./naive_handshake.ts";
import { join } from "./naive_primitives.ts";
import type { Octets, RawPair } from "./naive_primitives.ts";
import { bare, bodyOf, cutRecords, Direction } from "./naive_records.ts";
import { decode, encode } from "./naive_risp.ts";
import { specTable } from "./naive_tables.ts";

const GREETING = specTable("greeting");
const ONION = specTable("onion");
const LIMITS = { message: 8_192, skipped: 65_536 };

/** One end of a link. */
export class NaiveLink {
  readonly #stream: ByteStream;
  #arrived: Octets = new Uint8Array(0);
  #out: Direction | undefined;
  #in: Direction | undefined;
  readonly #cells: NaiveCell[] = [];
  /** Whether CLOSE, or the end of the stream, has come. */
  closed = false;
  /** Headers of each record that came. */
  readonly runs: number[] = [];

  private constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  /** Asks the relay whose agreement key is `s` for a link. */
  static async open(stream: ByteStream, s: Octets): Promise<NaiveLink> {
    const link = new NaiveLink(stream);
    const begun = await hello(s);
    await link.#write(encode(GREETING, ["HANDSHAKE", begun.hello], "HELLO"));
    const ack = await link.#greeting("HELLO-ACK");
    link.#agree(await begun.finish(ack), true);
    await link.#write(link.#out!.seal(encode(ONION, "LINK")));
    await link.#word("LINKED");
    return link;
  }

  /** Grants a link to whoever asks for it. */
  static async answer(stream: ByteStream, s: RawPair): Promise<NaiveLink> {
    const link = new NaiveLink(stream);
    const asked = await link.#greeting("HELLO");
    const { ack, agreed } = await helloAck(s, asked);
    await link.#write(encode(GREETING, ["HANDSHAKE", ack], "HELLO-ACK"));
    link.#agree(agreed, false);
    await link.#word("LINK");
    await link.#write(link.#out!.seal(encode(ONION, "LINKED")));
    return link;
  }

  /** Sends cells under one record of headers. */
  async send(...cells: NaiveCell[]): Promise<void> {
    await this.#write(join(
      this.#out!.seal(join(...cells.map(headerOf))),
      ...cells.map(({ body }) => bare(body)),
    ));
  }

  /** Sends a record of headers with whatever there may be behind it. */
  async sendRaw(headers: Octets, ...bodies: Octets[]): Promise<void> {
    await this.#write(join(this.#out!.seal(headers), ...bodies.map(bare)));
  }

  /** The next cell; `undefined` behind CLOSE and at the end. */
  async next(): Promise<NaiveCell | undefined> {
    if (this.#cells.length === 0) await this.#run();
    return this.#cells.shift();
  }

  /** CLOSE, and lets go. */
  async close(): Promise<void> {
    await this.#write(this.#out!.seal(new Uint8Array(0)));
    this.drop();
  }

  /** Lets go of the connection. */
  drop(): void {
    try {
      this.#stream.close();
    } catch {
      // The other side was faster.
    }
  }

  /** A record of headers and its bodies. */
  async #run(): Promise<void> {
    const record = await this.#record();
    const plaintext = record === undefined
      ? new Uint8Array(0)
      : this.#in!.open(record);
    if (plaintext.length === 0) {
      this.closed = true;
      return;
    }
    const headers = readHeaders(plaintext);
    this.runs.push(headers.length);
    for (const { length, ...header } of headers) {
      const body = bodyOf((await this.#record())!);
      if (body?.length !== length) throw new Error("not the body that is due");
      this.#cells.push({ ...header, body });
    }
  }

  #agree({ fromClient, fromServer }: Agreed, asClient: boolean): void {
    this.#out = new Direction(asClient ? fromClient : fromServer);
    this.#in = new Direction(asClient ? fromServer : fromClient);
  }

  /** The HANDSHAKE of a command in the clear. */
  async #greeting(verb: string): Promise<Octets> {
    for (;;) {
      const [message] = decode(this.#arrived, GREETING, LIMITS).messages;
      if (message !== undefined) {
        if (message.verb !== verb) throw new Error(message.verb);
        this.#arrived = this.#arrived.slice(message.end);
        return message.values.get("HANDSHAKE")!.at(-1) as Octets;
      }
      if (!await this.#read()) throw new Error("no answer");
    }
  }

  /** Takes a record that holds this verb and nothing else. */
  async #word(verb: string): Promise<void> {
    const plaintext = this.#in!.open((await this.#record())!);
    const { messages, end } = decode(plaintext, ONION, LIMITS);
    if (
      end !== "whole" || messages.length !== 1 || messages[0]!.verb !== verb
    ) {
      throw new Error(`no ${verb}`);
    }
  }

  async #record(): Promise<Octets | undefined> {
    for (;;) {
      const [record] = cutRecords(this.#arrived).records;
      if (record !== undefined) {
        this.#arrived = this.#arrived.slice(record.length);
        return record;
      }
      if (!await this.#read()) return undefined;
    }
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await this.#stream.read(buffer);
    if (count !== null) {
      this.#arrived = join(this.#arrived, buffer.slice(0, count));
    }
    return count !== null;
  }

  async #write(bytes: Octets): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#stream.write(bytes.slice(at));
    }
  }
}
