/**
 * All relays of a circuit at the other end of one link, written from SPEC.md §12.3 to §12.6: every cell of
 * the client is opened layer by layer, put together again from what it said, and compared.
 *
 * @module
 */
import { CELL, layerLength, noisy, REASONS, wrap } from "./naive_cells.ts";
import type { NaiveCell, NaiveHop } from "./naive_cells.ts";
import { hopOf, hopPrologue } from "./naive_circuit.ts";
import { helloAck } from "./naive_handshake.ts";
import type { NaiveLink } from "./naive_link.ts";
import {
  createBytes,
  createdBytes,
  END_REASONS,
  MESSAGE_HEAD,
  messageBytes,
  readBegin,
  readCreate,
  readMessage,
  readName,
  resolvedBytes,
} from "./naive_messages.ts";
import type { NaiveOnionMessage } from "./naive_messages.ts";
import {
  join,
  random,
  toBig,
  unsigned,
  x25519Pair,
} from "./naive_primitives.ts";
import type { Octets, RawPair } from "./naive_primitives.ts";
import { NaiveStream, NaiveWindows } from "./naive_windows.ts";

const NOTHING: Octets = new Uint8Array(0);

/** A relay of the text. */
export interface NaiveRelay {
  readonly fingerprint: Octets;
  readonly onion: RawPair;
}

/** New relays, so many. */
export function naiveRelays(count: number): NaiveRelay[] {
  return Array.from({ length: count }, () => ({
    fingerprint: random(32),
    onion: x25519Pair(),
  }));
}

/** The relays of one circuit. The last one knows the host `echo`, and no other. */
export class NaiveRelays {
  readonly #link: NaiveLink;
  readonly #relays: readonly NaiveRelay[];
  #circuit = 0;
  readonly hops: NaiveHop[] = [];
  /** The keys of the client's direction once more, to seal what it has sealed. */
  readonly #again: NaiveHop[] = [];
  readonly windows: NaiveWindows = new NaiveWindows();
  readonly streams: Map<number, NaiveStream> = new Map();
  /** What is to be sent back, by stream. */
  readonly #echo = new Map<number, Octets[]>();
  /** Lengths of the bodies of cells that came, with how often. */
  readonly cells: Map<number, number> = new Map();
  /** What the client has said, in order, but for DATA. */
  readonly said: string[] = [];
  /** Why the client has destroyed the circuit. */
  destroyed: string | undefined;
  /** How often it has said so. */
  destroys = 0;
  #told = false;

  constructor(link: NaiveLink, relays: readonly NaiveRelay[]) {
    this.#link = link;
    this.#relays = relays;
  }

  /** Does what the client asks for until the link ends. */
  async serve(): Promise<void> {
    for (;;) {
      const cell = await this.#link.next();
      if (cell === undefined) return;
      if (cell.command === CELL.padding) continue;
      if (cell.detail !== 0 && cell.command !== CELL.destroy) {
        throw new Error("a detail");
      }
      if (cell.command === CELL.destroy) {
        if (cell.body.length !== 1_536) throw new Error("a large DESTROY");
        this.destroyed = REASONS[cell.detail]!;
        this.destroys++;
        if (!this.#told) await this.destroy(this.destroyed);
      } else if (cell.command === CELL.create) await this.#create(cell);
      else if (cell.command === CELL.relay) await this.#relay(cell.body);
      else throw new Error(`a cell of ${cell.command}`);
    }
  }

  /** Says something, from the last relay or another one. */
  async send(
    message: NaiveOnionMessage,
    body = 1_536,
    position: number = this.hops.length,
  ): Promise<Octets> {
    const length = layerLength(body, position + 1);
    return await this.sendRest(messageBytes(message, length), body, position);
  }

  /** Says whatever it is; the tag of the innermost layer. */
  async sendRest(
    rest: Octets,
    body = 1_536,
    position: number = this.hops.length,
    forWhom = 1,
  ): Promise<Octets> {
    const mine = join(unsigned(1, forWhom), rest);
    const innermost = this.hops[position - 1]!.backward.seal(mine);
    let sealed = noisy(innermost, body);
    for (let p = position - 1; p >= 1; p--) {
      const next = sealed.slice(0, layerLength(body, p + 1));
      const layer = this.hops[p - 1]!.backward.seal(join(unsigned(1, 0), next));
      sealed = noisy(layer, body);
    }
    await this.cell(CELL.relay, sealed);
    return innermost.slice(-16);
  }

  /** DESTROY. */
  async destroy(reason: string): Promise<void> {
    this.#told = true;
    await this.cell(CELL.destroy, NOTHING, REASONS.indexOf(reason));
  }

  /** Sends a cell. */
  async cell(command: number, bytes: Octets, detail = 0): Promise<void> {
    const body = bytes.length <= 1_536 ? noisy(bytes, 1_536) : bytes;
    await this.#link.send({ circuit: this.#circuit, command, detail, body });
  }

  async #create({ circuit, body }: NaiveCell): Promise<void> {
    if (body.length !== 1_536) throw new Error("a large CREATE");
    this.#circuit = circuit;
    await this.cell(CELL.created, await this.#shake(0, body));
  }

  /** The handshake with the relay at `index`. */
  async #shake(index: number, asked: Octets): Promise<Octets> {
    const { fingerprint, onion } = this.#relays[index]!;
    const { onionKey, message } = readCreate(asked);
    if (onionKey.toHex() !== onion.open.toHex()) throw new Error("another key");
    if (message.length !== 1_249) throw new Error(`${message.length} bytes`);
    const prologue = hopPrologue(fingerprint);
    const { ack, agreed, payload } = await helloAck(onion, message, prologue);
    if (payload.toHex() !== unsigned(1, index + 1).toHex()) {
      throw new Error("another position");
    }
    this.hops.push(hopOf(agreed));
    this.#again.push(hopOf(agreed));
    return createdBytes(ack);
  }

  async #relay(body: Octets): Promise<void> {
    this.cells.set(body.length, (this.cells.get(body.length) ?? 0) + 1);
    let inner = body;
    let position = 0;
    let tag = NOTHING;
    for (let forWhom = 0; forWhom === 0;) {
      const sealed = inner.slice(0, layerLength(body.length, ++position));
      const plaintext = this.hops[position - 1]!.forward.open(sealed);
      forWhom = plaintext[0]!;
      inner = plaintext.slice(1);
      tag = sealed.slice(-16);
    }
    if (position !== this.hops.length) throw new Error(`for ${position}`);
    const message = readMessage(inner);
    const rest = messageBytes(message, layerLength(body.length, position + 1));
    const again = wrap(this.#again, position, rest);
    if (
      again.body.toHex() !== body.toHex() || again.tag.toHex() !== tag.toHex()
    ) {
      throw new Error("the text seals it otherwise");
    }
    if (message.command !== "DATA") {
      this.said.push(`${message.command} ${message.stream}`);
    }
    await this.#handle(message, body.length, tag);
    for (const number of this.#echo.keys()) await this.#flush(number);
  }

  async #handle(
    { command, stream: number, data }: NaiveOnionMessage,
    body: number,
    tag: Octets,
  ): Promise<void> {
    const stream = this.streams.get(number);
    const answer = (command: NaiveOnionMessage["command"], data = NOTHING) =>
      this.send({ command, stream: number, data });
    if (command === "EXTEND") {
      const index = this.hops.length;
      const wanted = data.slice(0, 32).toHex();
      if (wanted !== this.#relays[index]!.fingerprint.toHex()) {
        throw new Error("another relay");
      }
      const asked = data.slice(32);
      const { onionKey, message } = readCreate(asked);
      if (createBytes(onionKey, message).length !== asked.length) {
        throw new Error("bytes behind EXTEND");
      }
      const extended = await this.#shake(index, asked);
      await this.send(
        { command: "EXTENDED", stream: 0, data: extended },
        1_536,
        index,
      );
    } else if (command === "BEGIN") {
      const { host, port } = readBegin(data);
      this.said.push(`${host}:${port}`);
      if (host !== "echo") {
        await answer("END", unsigned(1, END_REASONS.indexOf("unreachable")));
      } else {
        this.streams.set(number, new NaiveStream(number));
        this.#echo.set(number, []);
        await answer("CONNECTED");
      }
    } else if (command === "RESOLVE") {
      const name = readName(data);
      await answer("RESOLVED", resolvedBytes([`${name}.1`, `${name}.2`]));
    } else if (command === "DATA") {
      if (this.windows.came(body)) {
        await this.send({ command: "SENDME", stream: 0, data: tag });
      }
      this.#echo.get(number)!.push(data);
      if (this.windows.read(stream!, body)) await answer("SENDME");
    } else if (command === "SENDME" && number === 0) {
      this.windows.answered(data);
    } else if (command === "SENDME" && data.length === 0) {
      this.windows.streamAnswered(stream!);
    } else if (command === "END") {
      stream!.ended = Number(toBig(data));
    } else throw new Error(command);
  }

  /** Sends back what windows allow, in the cells that it fits. */
  async #flush(number: number): Promise<void> {
    const stream = this.streams.get(number)!;
    const waiting = this.#echo.get(number)!;
    while (waiting.length > 0) {
      const data = waiting[0]!;
      const small = layerLength(1_536, this.hops.length + 1) - MESSAGE_HEAD;
      const body = data.length <= small ? 1_536 : 65_536;
      if (!this.windows.allow(stream, body)) return;
      const tag = await this.send(
        { command: "DATA", stream: number, data },
        body,
      );
      this.windows.sent(stream, body, tag);
      waiting.shift();
    }
    if (stream.ended === undefined || stream.closed) return;
    stream.closed = true;
    await this.send({ command: "END", stream: number, data: unsigned(1, 0) });
  }
}
