import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { LARGE, SMALL, UNITS } from "../../../lib/onion/cell/cell.ts";
import type { CellSize } from "../../../lib/onion/cell/cell.ts";
import { decodeMessage, RELAY } from "../../../lib/onion/cell/message.ts";
import type { RelayMessage } from "../../../lib/onion/cell/message.ts";
import { StreamMux } from "../../../lib/onion/stream/stream_mux.ts";
import type { StreamAcceptor } from "../../../lib/onion/stream/stream_mux.ts";
import {
  CIRCUIT_INCREMENT,
  CIRCUIT_WINDOW,
  STREAM_INCREMENT,
  STREAM_WINDOW,
} from "../../../lib/onion/stream/window.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  AEAD_TAG_BYTES,
  concat,
  MalformedError,
  randomBytes,
} from "../../../lib/protocol/mod.ts";
import { pause } from "../streams.ts";

const RUNS = Number(Deno.env.get("SOTTO_ONION_RUNS") ?? 200);
const NOTHING = new Uint8Array(0);

/** One end of a circuit, and everything that it says to the attacker at the other. */
class Victim {
  readonly mux: StreamMux;
  /** What it has sent, in order. */
  readonly sent: RelayMessage[] = [];
  /** The tags of what it has sent. */
  readonly tags: Bytes[] = [];
  readonly failures: unknown[] = [];

  constructor(acceptor?: StreamAcceptor) {
    this.mux = new StreamMux({
      position: 3,
      sendLayer: (layer) => {
        const { command, stream, data } = decodeMessage(layer);
        this.sent.push({ command, stream, data: data.slice() });
        const sealed = concat(layer, randomBytes(AEAD_TAG_BYTES));
        this.tags.push(sealed.slice(-AEAD_TAG_BYTES));
        return Promise.resolve(sealed);
      },
      fail: (error) => this.failures.push(error),
    }, acceptor);
  }

  /** A message comes to it. */
  take(
    command: number,
    stream: number,
    data: Bytes = NOTHING,
    size: CellSize = SMALL,
  ): void {
    const sealed = randomBytes(AEAD_TAG_BYTES + 1);
    this.mux.handle({ command, stream, data }, UNITS[size], sealed);
  }

  /** A client's end with so many streams, with the numbers from 1 on. */
  static async client(streams: number): Promise<Victim> {
    const victim = new Victim();
    for (let id = 1; id <= streams; id++) {
      const opening = victim.mux.open({ host: "echo", port: 7 });
      victim.take(RELAY.CONNECTED, id);
      await opening;
    }
    return victim;
  }

  /** How many SENDMEs it has sent. */
  sendmes(isCircuit: boolean): number {
    return this.sent.filter(({ command, stream }) =>
      command === RELAY.SENDME && (stream === 0) === isCircuit
    ).length;
  }
}

/** An exit's end that says yes to everything and reads nothing. */
function yielding(): Victim {
  const victim: Victim = new Victim({
    begin: ({ id }) => victim.mux.connected(id),
    resolve: (id) => victim.mux.resolved(id, ["192.0.2.1"]),
  });
  return victim;
}

Deno.test("data beyond the window of a stream are refused", async () => {
  for (const size of [SMALL, LARGE] as const) {
    const victim = await Victim.client(1);
    for (let units = UNITS[size]; units <= STREAM_WINDOW;) {
      victim.take(RELAY.DATA, 1, randomBytes(9), size);
      units += UNITS[size];
    }
    assertThrows(
      () => victim.take(RELAY.DATA, 1, randomBytes(9), size),
      MalformedError,
    );
  }
});

Deno.test("data beyond the window of the circuit are refused, for streams that nobody has, too", async () => {
  const victim = await Victim.client(20);
  let units = 0;
  assertThrows(() => {
    for (let i = 0;; i++) {
      victim.take(RELAY.DATA, 1 + i % 20, randomBytes(1), LARGE);
      units += UNITS[LARGE];
    }
  }, MalformedError);
  // One byte in every large cell: what it keeps are cells, and of them no more than five windows.
  assert(units >= CIRCUIT_WINDOW && units <= 5 * CIRCUIT_WINDOW, `${units}`);
});

Deno.test("data for streams that nobody has cost nothing and are answered, so that the circuit goes on", () => {
  const victim = new Victim();
  const cells = 4 * CIRCUIT_WINDOW / UNITS[LARGE];
  for (let i = 0; i < cells; i++) {
    victim.take(RELAY.DATA, 1 + i, randomBytes(9), LARGE);
  }
  assertEquals(victim.sendmes(true), 4 * CIRCUIT_WINDOW / CIRCUIT_INCREMENT);
  assertEquals(victim.sendmes(false), 0);
  assertEquals(victim.mux.size, 0);
});

Deno.test("a SENDME of the circuit counts once, and only with the tag of the cell that is to be answered", async () => {
  const attacks = {
    "with another tag": (tag: Bytes) => [tag.map((byte) => byte ^ 1)],
    "without one": () => [NOTHING],
    "with a part of it": (tag: Bytes) => [tag.slice(1)],
    "twice": (tag: Bytes) => [tag, tag],
    "before there was anything": undefined,
  };
  for (const [name, attack] of Object.entries(attacks)) {
    const victim = await Victim.client(2);
    const stream = await (async () => {
      const opening = victim.mux.open({ host: "echo", port: 7 });
      victim.take(RELAY.CONNECTED, 3);
      return await opening;
    })();
    if (attack === undefined) {
      victim.take(RELAY.SENDME, 0, randomBytes(AEAD_TAG_BYTES));
    } else {
      const small = new Uint8Array(100);
      let units = 0;
      while (units < CIRCUIT_INCREMENT) {
        await stream.write(small);
        units += UNITS[SMALL];
      }
      for (const tag of attack(victim.tags.at(-1)!)) {
        victim.take(RELAY.SENDME, 0, tag);
      }
    }
    await pause(1);
    assertEquals(victim.failures.length, 1, name);
    assert(victim.failures[0] instanceof MalformedError, name);
  }
});

Deno.test("a SENDME of a stream that answers nothing is refused", async () => {
  const victim = await Victim.client(1);
  assertThrows(() => victim.take(RELAY.SENDME, 1), MalformedError);
  const other = await Victim.client(1);
  const opening = other.mux.open({ host: "echo", port: 7 });
  other.take(RELAY.CONNECTED, 2);
  const stream = await opening;
  for (let units = 0; units < STREAM_INCREMENT; units += UNITS[SMALL]) {
    await stream.write(new Uint8Array(9));
  }
  other.take(RELAY.SENDME, 2);
  assertThrows(() => other.take(RELAY.SENDME, 2), MalformedError);
});

Deno.test("nobody opens streams at a client, twice under one number, or under none", () => {
  const client = new Victim();
  const begin = Uint8Array.of(0, 80, 1, 97);
  const resolve = Uint8Array.of(1, 97);
  assertThrows(() => client.take(RELAY.BEGIN, 1, begin), MalformedError);
  assertThrows(() => client.take(RELAY.RESOLVE, 1, resolve), MalformedError);
  const exit = yielding();
  assertThrows(() => exit.take(RELAY.BEGIN, 0, begin), MalformedError);
  assertThrows(() => exit.take(RELAY.RESOLVE, 0, resolve), MalformedError);
  exit.take(RELAY.BEGIN, 1, begin);
  assertThrows(() => exit.take(RELAY.BEGIN, 1, begin), MalformedError);
  assertThrows(() => exit.take(RELAY.RESOLVE, 1, resolve), MalformedError);
  assertEquals(exit.mux.size, 1);
});

Deno.test("data behind the end of a stream are refused", async () => {
  const victim = await Victim.client(1);
  victim.take(RELAY.END, 1, Uint8Array.of(0));
  assertThrows(
    () => victim.take(RELAY.DATA, 1, randomBytes(1)),
    MalformedError,
  );
});

Deno.test("whatever messages come, in whatever order, nothing but MalformedError is thrown, at either end", async () => {
  const message = fc.record({
    command: fc.oneof(fc.constantFrom(...Object.values(RELAY)), fc.nat(255)),
    stream: fc.oneof(fc.nat(4), fc.nat(65_535)),
    data: fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.constantFrom(
        Uint8Array.of(0, 80, 1, 97),
        Uint8Array.of(1, 97),
        Uint8Array.of(0),
        NOTHING,
      ),
    ),
    size: fc.constantFrom(SMALL, LARGE),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { maxLength: 60 }),
      fc.boolean(),
      async (messages, isClient) => {
        const victim = isClient ? await Victim.client(3) : yielding();
        for (const { command, stream, data, size } of messages) {
          try {
            victim.take(command, stream, new Uint8Array(data), size);
          } catch (error) {
            assert(error instanceof MalformedError, `${error}`);
          }
        }
        await pause(0);
        for (const error of victim.failures) {
          assert(error instanceof MalformedError, `${error}`);
        }
      },
    ),
    { numRuns: RUNS },
  );
});
