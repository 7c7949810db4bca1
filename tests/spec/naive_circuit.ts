/**
 * A client with one circuit, written from SPEC.md §12.3 to §12.6.
 *
 * @module
 */
import {
  CELL,
  layerLength,
  NaiveLayer,
  noisy,
  REASONS,
  unwrap,
  wrap,
} from "./naive_cells.ts";
import type { NaiveCell, NaiveHop } from "./naive_cells.ts";
import { hello } from "./naive_handshake.ts";
import type { Agreed } from "./naive_handshake.ts";
import type { NaiveLink } from "./naive_link.ts";
import {
  beginBytes,
  createBytes,
  MESSAGE_HEAD,
  messageBytes,
  readCreated,
  readMessage,
  readResolved,
  resolveBytes,
} from "./naive_messages.ts";
import type { NaiveOnionMessage } from "./naive_messages.ts";
import { ascii, join, unsigned } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import { NaiveStream, NaiveWindows } from "./naive_windows.ts";

const NOTHING: Octets = new Uint8Array(0);

/** A relay as the directory has it. */
export interface NaiveRelayName {
  readonly fingerprint: Octets;
  readonly onionKey: Octets;
}

/** The hop whose keys a handshake has given. */
export function hopOf({ fromClient, fromServer }: Agreed): NaiveHop {
  return {
    forward: new NaiveLayer(fromClient),
    backward: new NaiveLayer(fromServer),
  };
}

/** What the handshake of a hop is about. */
export function hopPrologue(fingerprint: Octets): Octets {
  return join(ascii("sotto hop 1"), fingerprint);
}

/** A circuit; its streams all end at its last relay. */
export class NaiveCircuit {
  readonly #link: NaiveLink;
  readonly #number: number;
  readonly #streams = new Map<number, NaiveStream>();
  /** The relays so far. */
  readonly hops: NaiveHop[] = [];
  readonly windows: NaiveWindows = new NaiveWindows();
  /** Why it was destroyed by the other side. */
  destroyed: string | undefined;
  /** How many SENDMEs of the circuit have come; of streams. */
  readonly sendmes = { circuit: 0, stream: 0 };
  /** Cells of DATA that have come, by the length of their bodies. */
  readonly cells: Map<number, number> = new Map();
  #extended: Octets | undefined;

  constructor(link: NaiveLink, number: number) {
    this.#link = link;
    this.#number = number;
  }

  /** One more relay. */
  async extend(
    { fingerprint, onionKey }: NaiveRelayName,
    position = this.hops.length + 1,
  ): Promise<void> {
    const begun = await hello(onionKey, {
      prologue: hopPrologue(fingerprint),
      payload: unsigned(1, position),
    });
    const asked = createBytes(onionKey, begun.hello);
    if (this.hops.length === 0) {
      await this.cell(CELL.create, noisy(asked, 1_536));
    } else {
      await this.send("EXTEND", 0, join(fingerprint, asked));
    }
    this.#extended = undefined;
    await this.until(() => this.#extended !== undefined);
    this.hops.push(hopOf(await begun.finish(readCreated(this.#extended!))));
  }

  /** Sends a message to the relay at `position`; the tag of its innermost layer. */
  async send(
    command: NaiveOnionMessage["command"],
    stream: number,
    data: Octets,
    body = 1_536,
    position: number = this.hops.length,
  ): Promise<Octets> {
    const message = messageBytes(
      { command, stream, data },
      layerLength(body, position + 1),
    );
    const wrapped = wrap(this.hops, position, message);
    await this.cell(CELL.relay, wrapped.body);
    return wrapped.tag;
  }

  /** Sends a rest as it is to the last relay. */
  async sendRest(rest: Octets): Promise<void> {
    await this.cell(
      CELL.relay,
      wrap(this.hops, this.hops.length, rest).body,
    );
  }

  /** Opens a stream; it is connected, or has ended. */
  async open(number: number, host: string, port: number): Promise<NaiveStream> {
    const stream = this.#add(number);
    await this.send("BEGIN", number, beginBytes(host, port));
    await this.until(() => stream.connected || stream.ended !== undefined);
    return stream;
  }

  /** Asks for the addresses of a name; the stream says what came. */
  async resolve(number: number, name: string): Promise<NaiveStream> {
    const stream = this.#add(number);
    await this.send("RESOLVE", number, resolveBytes(name));
    await this.until(() =>
      stream.answers !== undefined || stream.ended !== undefined
    );
    this.#streams.delete(number);
    return stream;
  }

  /** How many bytes of data a cell takes that has a body of this length. */
  room(body: number): number {
    return layerLength(body, this.hops.length + 1) - MESSAGE_HEAD;
  }

  /** Sends bytes in cells with bodies of this length, and waits for windows. */
  async write(stream: NaiveStream, bytes: Octets, body: number): Promise<void> {
    const room = this.room(body);
    for (let at = 0; at < bytes.length; at += room) {
      await this.until(() => this.windows.allow(stream, body));
      await this.force(stream, bytes.slice(at, at + room), body);
    }
  }

  /** Sends a cell of DATA, whatever the windows say. */
  async force(stream: NaiveStream, data: Octets, body: number): Promise<void> {
    const tag = await this.send("DATA", stream.number, data, body);
    this.windows.sent(stream, body, tag);
  }

  /** Says that nothing more comes, or breaks the stream. */
  async finish(stream: NaiveStream, reason = 0): Promise<void> {
    stream.closed = true;
    stream.broken = reason !== 0;
    await this.send("END", stream.number, unsigned(1, reason));
  }

  /** Takes cells until `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await this.turn();
      if (this.destroyed !== undefined) throw new Error(this.destroyed);
    }
  }

  /** Takes one cell and does what it asks for. */
  async turn(): Promise<void> {
    const cell = await this.#link.next();
    if (cell === undefined) throw new Error("the link is closed");
    if (cell.command === CELL.padding) return;
    if (cell.circuit !== this.#number) throw new Error("another circuit");
    if (cell.command === CELL.created) this.#extended = cell.body;
    else if (cell.command === CELL.relay) await this.#relay(cell);
    else this.destroyed = REASONS[cell.detail] ?? "internal";
  }

  /** DESTROY, and waits for the one that comes back. */
  async destroy(reason = "requested"): Promise<void> {
    await this.cell(
      CELL.destroy,
      noisy(NOTHING, 1_536),
      REASONS.indexOf(reason),
    );
    await this.end();
  }

  /** Takes cells until DESTROY comes; the reason. */
  async end(): Promise<string> {
    while (this.destroyed === undefined) await this.turn();
    return this.destroyed;
  }

  /** Sends a cell as it is. */
  async cell(command: number, body: Octets, detail = 0): Promise<void> {
    const circuit = this.#number;
    await this.#link.send({ circuit, command, detail, body });
  }

  async #relay({ body }: NaiveCell): Promise<void> {
    const { position, rest, tag } = unwrap(this.hops, body);
    if (position !== this.hops.length) throw new Error(`from ${position}`);
    const { command, stream: number, data } = readMessage(rest);
    if (command === "EXTENDED") this.#extended = data;
    else if (command === "SENDME" && number === 0) {
      this.windows.answered(data);
      this.sendmes.circuit++;
    } else if (command === "DATA") await this.#data(number, data, body, tag);
    else {
      const stream = this.#streams.get(number);
      if (stream === undefined) throw new Error(`${command} of no stream`);
      if (stream.broken) return;
      if (command === "CONNECTED") stream.connected = true;
      else if (command === "RESOLVED") stream.answers = readResolved(data);
      else if (command === "END") stream.ended = data[0]!;
      else if (command === "SENDME") {
        this.windows.streamAnswered(stream);
        this.sendmes.stream++;
      } else throw new Error(command);
    }
  }

  async #data(
    number: number,
    data: Octets,
    { length }: Octets,
    tag: Octets,
  ): Promise<void> {
    const stream = this.#streams.get(number);
    if (this.windows.came(length)) await this.send("SENDME", 0, tag);
    if (stream === undefined || stream.ended !== undefined) {
      throw new Error("DATA where none is due");
    }
    if (stream.broken) return;
    this.cells.set(length, (this.cells.get(length) ?? 0) + 1);
    stream.received.push(data);
    if (this.windows.read(stream, length)) {
      await this.send("SENDME", number, NOTHING);
    }
  }

  #add(number: number): NaiveStream {
    const stream = new NaiveStream(number);
    this.#streams.set(number, stream);
    return stream;
  }
}
