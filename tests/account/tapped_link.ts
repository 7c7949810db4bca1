import { ACCOUNT } from "../../lib/account/mod.ts";
import {
  Caller,
  CommandChannel,
  concat,
  Decoder,
  Vocabulary,
} from "../../lib/protocol/mod.ts";
import type {
  Bytes,
  ByteStream,
  Channel,
  DecoderLimits,
  Message,
} from "../../lib/protocol/mod.ts";
import type { TestServer } from "../support/server.ts";

const VOCABULARY = new Vocabulary(ACCOUNT);
const LIMITS: DecoderLimits = {
  messageBytes: 1_048_576,
  skippedBytes: 1_048_576,
};

/** A channel of commands that keeps what passes, and may change it, inside the encryption. */
export class TappedLink extends CommandChannel {
  /** What was sent, in order. */
  readonly sent: Message[] = [];
  readonly received: Message[] = [];
  /** Changes what is sent. */
  outgoing: (commands: Bytes) => Bytes = (commands) => commands;
  /** Changes what has come. */
  incoming: (message: Message) => Message = (message) => message;
  readonly #decoder = new Decoder(VOCABULARY, LIMITS);

  constructor(channel: Channel) {
    super(channel, VOCABULARY, LIMITS);
  }

  override async next(): Promise<Message | null> {
    const message = await super.next();
    if (message === null) return null;
    this.received.push(message);
    return this.incoming(message);
  }

  override send(commands: Bytes): Promise<void> {
    const changed = this.outgoing(commands);
    this.#decoder.push(changed);
    for (;;) {
      const message = this.#decoder.next();
      if (message === undefined) break;
      this.sent.push(message);
    }
    return super.send(changed);
  }

  /** How many messages with a verb of this name were sent. */
  count(verb: string): number {
    return this.sent.filter((message) => message.verb.name === verb).length;
  }
}

/** A stream that keeps the bytes that pass, as somebody on the way sees them. */
export class TappedStream implements ByteStream {
  readonly #stream: ByteStream;
  readonly #written: Bytes[] = [];
  readonly #read: Bytes[] = [];

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const count = await this.#stream.read(buffer);
    if (count !== null) this.#read.push(buffer.slice(0, count) as Bytes);
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const count = await this.#stream.write(bytes);
    this.#written.push(bytes.slice(0, count) as Bytes);
    return count;
  }

  close(): void {
    this.#stream.close();
  }

  /** Everything written so far. */
  get written(): Bytes {
    return concat(...this.#written);
  }

  /** Everything read so far. */
  get seen(): Bytes {
    return concat(...this.#read);
  }
}

/** A connection to `server` with a tap inside and one outside the encryption. */
export async function tap(
  server: TestServer,
): Promise<{ link: TappedLink; stream: TappedStream }> {
  const stream = new TappedStream(await server.dial());
  const caller = new Caller(stream);
  const channel = await caller.connect(server.node.certificate.dhKey);
  return { link: new TappedLink(channel), stream };
}

/** Lengths in bytes of the plaintexts of the records behind a handshake message in `bytes`. */
export function recordLengths(bytes: Bytes): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // HANDSHAKE (id, 2-byte length, bytes), then HELLO or HELLO-ACK.
  let at = 2 + 2 + view.getUint16(2) + 2;
  const lengths: number[] = [];
  while (at < bytes.length) {
    const sealed = view.getUint32(at);
    lengths.push(sealed - 16);
    at += 4 + sealed;
  }
  if (at !== bytes.length) throw new Error("The stream ends in a record");
  return lengths;
}
