import {
  BODY_BYTES,
  CELL,
  sealedLength,
  SMALL,
} from "../../../lib/onion/cell/cell.ts";
import {
  decodeMessage,
  encodeMessage,
  FORWARD,
  RELAY,
} from "../../../lib/onion/cell/message.ts";
import type { RelayMessage } from "../../../lib/onion/cell/message.ts";
import {
  acceptHop,
  handshakeBody,
} from "../../../lib/onion/circuit/hop_handshake.ts";
import type { HopTarget } from "../../../lib/onion/circuit/hop_handshake.ts";
import type { HopKeys } from "../../../lib/onion/circuit/layer_key.ts";
import { ClientCircuit } from "../../../lib/onion/client/client_circuit.ts";
import { CircuitLink } from "../../../lib/onion/link/circuit_link.ts";
import { Link } from "../../../lib/onion/link/link.ts";
import type { Bytes, DhKeyPair } from "../../../lib/protocol/mod.ts";
import {
  Channel,
  concat,
  generateDh,
  randomBytes,
  TrafficKey,
} from "../../../lib/protocol/mod.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import { RawLink } from "../raw_link.ts";
import { until } from "../streams.ts";

/** A hop that the fake guard plays. */
interface Role {
  readonly target: HopTarget;
  readonly pair: DhKeyPair;
}

async function role(): Promise<Role> {
  const pair = await generateDh();
  const target = { fingerprint: randomBytes(32), onionKey: pair.publicKey };
  return { target, pair };
}

/** Plays both relays of a circuit of two hops to a client, and can say whatever it likes to it. */
export class FakeGuard implements AsyncDisposable {
  readonly circuit: ClientCircuit;
  /** The link to the client. */
  readonly raw: RawLink;
  readonly #id: number;
  readonly #hops: readonly HopKeys[];
  readonly #link: CircuitLink;
  readonly #running: Promise<void>;

  private constructor(
    circuit: ClientCircuit,
    raw: RawLink,
    id: number,
    hops: readonly HopKeys[],
    link: CircuitLink,
    running: Promise<void>,
  ) {
    this.circuit = circuit;
    this.raw = raw;
    this.#id = id;
    this.#hops = hops;
    this.#link = link;
    this.#running = running;
  }

  /** With a circuit that was built. */
  static async start(): Promise<FakeGuard> {
    const { left, right } = memoryConnection();
    const [there, back] = [randomBytes(32), randomBytes(32)];
    const hash = randomBytes(32);
    const channel = async (stream: typeof left, out: Bytes, into: Bytes) =>
      new Channel(stream, {
        send: await TrafficKey.of(out),
        receive: await TrafficKey.of(into),
        hash,
      });
    const raw = new RawLink(await channel(right, back, there));
    const link = new CircuitLink(
      new Link(await channel(left, there, back), () => 0),
    );
    const running = link.run(() => Promise.resolve()).catch(() => {});
    const [first, second] = [await role(), await role()];
    const building = ClientCircuit.build(link, [first.target, second.target]);

    await until(() => raw.cells.length === 1, "a CREATE comes");
    const { circuit: id, body } = raw.cells[0]!;
    const { fingerprint } = first.target;
    const guard = await acceptHop(body, fingerprint, [first.pair]);
    raw.send(id, CELL.CREATED, SMALL, handshakeBody(guard.answer));
    await until(() => raw.cells.length === 2, "an EXTEND comes");
    const relayed = raw.cells[1]!;
    const layer = await guard.keys.forward.open(
      relayed.body.subarray(0, sealedLength(relayed.size, 1)),
    );
    const exit = await acceptHop(
      decodeMessage(layer).data.slice(32),
      second.target.fingerprint,
      [second.pair],
    );
    const extended = {
      command: RELAY.EXTENDED,
      stream: 0,
      data: exit.answer,
    };
    const sealed = guard.keys.backward.seal(
      encodeMessage(extended, SMALL, 1),
    );
    raw.send(id, CELL.RELAY, SMALL, await sealed);
    return new FakeGuard(
      await building,
      raw,
      id,
      [guard.keys, exit.keys],
      link,
      running,
    );
  }

  /** Says something as the guard, with `mark` in front in place of HERE. */
  async asGuard(message: RelayMessage, mark?: number): Promise<void> {
    const layer = encodeMessage(message, SMALL, 1);
    if (mark !== undefined) layer[0] = mark;
    const sealed = await this.#hops[0]!.backward.seal(layer);
    this.raw.send(this.#id, CELL.RELAY, SMALL, sealed);
  }

  /** Says something as the exit. */
  async asExit(message: RelayMessage): Promise<void> {
    const inner = await this.#hops[1]!.backward.seal(
      encodeMessage(message, SMALL, 2),
    );
    await this.#wrapped(inner);
  }

  /** Passes noise on as if it were the exit's. */
  async noise(): Promise<void> {
    await this.#wrapped(randomBytes(sealedLength(SMALL, 2)));
  }

  /** Sends a cell of the circuit as it is. */
  cell(command: number): void {
    this.raw.send(this.#id, command, SMALL, randomBytes(BODY_BYTES[SMALL]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link.abort();
    await this.raw[Symbol.asyncDispose]();
    await this.#running;
  }

  async #wrapped(inner: Bytes): Promise<void> {
    const layer = concat(Uint8Array.of(FORWARD), inner);
    const sealed = await this.#hops[0]!.backward.seal(layer);
    this.raw.send(this.#id, CELL.RELAY, SMALL, sealed);
  }
}
