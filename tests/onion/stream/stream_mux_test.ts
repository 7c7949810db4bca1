import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { LARGE, UNIT_BYTES, UNITS } from "../../../lib/onion/cell/cell.ts";
import { capacity } from "../../../lib/onion/cell/message.ts";
import type { CircuitStream } from "../../../lib/onion/stream/circuit_stream.ts";
import { StreamError } from "../../../lib/onion/stream/stream_error.ts";
import { STREAMS_LIMIT } from "../../../lib/onion/stream/stream_mux.ts";
import {
  CIRCUIT_WINDOW,
  STREAM_WINDOW,
} from "../../../lib/onion/stream/window.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { equalConstantTime } from "../../../lib/protocol/mod.ts";
import { pause, readAll, readExactly, within } from "../streams.ts";
import { MuxPair } from "./mux_pair.ts";

const RUNS = Number(Deno.env.get("SOTTO_ONION_RUNS") ?? 20);
/** More than any window lets pass. */
const PLENTY = CIRCUIT_WINDOW * UNIT_BYTES * 2;
/** What a stream can have under way at least. */
const MOST_OF_A_STREAM = STREAM_WINDOW * UNIT_BYTES * 3 / 4;

/** Bytes of which no two stretches are the same soon. */
function numbered(length: number): Bytes {
  return Uint8Array.from({ length }, (_, i) => i * 31 ^ i >> 7 ^ i >> 15);
}

/** Writes pieces of random lengths, then ends the direction. */
async function send(
  stream: CircuitStream,
  bytes: Uint8Array,
  pieces: readonly number[],
): Promise<void> {
  // Not so many pieces that it takes long.
  const least = Math.ceil(bytes.length / 100);
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = Math.max(pieces[i % pieces.length]!, least);
    at += await stream.write(bytes.subarray(at, at + length));
  }
  await stream.closeWrite();
}

Deno.test("S4.5, S4.6: whatever the delays, all bytes of all streams arrive in order, both ways, within the windows", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          there: fc.oneof(fc.nat(100), fc.nat(2 * MOST_OF_A_STREAM)),
          back: fc.oneof(fc.nat(100), fc.nat(2 * MOST_OF_A_STREAM)),
          pieces: fc.array(fc.integer({ min: 1, max: 70_000 }), {
            minLength: 1,
            maxLength: 5,
          }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 9 }),
      async (plans, delays) => {
        let turn = 0;
        const pair = new MuxPair(() => {
          const delay = delays[turn++ % delays.length]!;
          return delay === 0 ? undefined : pause(delay);
        });
        await Promise.all(plans.map(async ({ there, back, pieces }) => {
          const [near, far] = await pair.open();
          const up = numbered(there);
          const down = numbered(back);
          const [gotUp, gotDown] = await Promise.all([
            readAll(far),
            readAll(near),
            send(near, up, pieces),
            send(far, down, pieces),
          ]);
          assert(equalConstantTime(gotUp, up));
          assert(equalConstantTime(gotDown, down));
        }));
        await pair.quiet();
        assertEquals(pair.failures, []);
        assertEquals([pair.client.size, pair.exit.size], [0, 0]);
        for (const flight of [pair.forward, pair.backward]) {
          assert(flight.most() <= CIRCUIT_WINDOW);
          for (let id = 1; id <= plans.length; id++) {
            assert(flight.most(id) <= STREAM_WINDOW);
          }
        }
      },
    ),
    { numRuns: RUNS },
  );
});

Deno.test("a reader that stops holds up its own stream at its window, and no other", async () => {
  const pair = new MuxPair();
  const [near, far] = await pair.open();
  const [other, otherFar] = await pair.open();
  const bytes = new Uint8Array(PLENTY);
  const writing = far.write(bytes);
  await pause(20);
  const cells = Math.floor(STREAM_WINDOW / UNITS[LARGE]);
  assertEquals(pair.backward.most(near.id), cells * UNITS[LARGE]);
  assertEquals(near.buffered, cells * capacity(LARGE, 3));
  // The other stream carries more than any window.
  const sending = otherFar.write(bytes);
  await within(20_000, "the other stream", readExactly(other, PLENTY));
  await sending;
  // When the reader goes on, so does its stream.
  await within(20_000, "the first stream", readExactly(near, PLENTY));
  await writing;
  assertEquals(pair.failures, []);
});

Deno.test("readers that stop hold up a client's other streams only when they are many, and that shows before", async () => {
  const pair = new MuxPair();
  const [active, activeFar] = await pair.open();
  const writes: Promise<unknown>[] = [];
  const stopped: CircuitStream[] = [];
  const limit = 4 * CIRCUIT_WINDOW;
  const bytes = new Uint8Array(PLENTY);
  const held = () =>
    stopped.reduce((sum, { buffered }) => sum + buffered, 0) / UNIT_BYTES;
  while (!pair.client.clogged) {
    const [near, far] = await pair.open();
    stopped.push(near);
    writes.push(far.write(bytes).catch(() => {}));
    await pair.quiet();
    assert(stopped.length < 20, "it never shows");
  }
  assert(held() <= limit / 2 + STREAM_WINDOW, `${held()} units`);
  const sending = activeFar.write(bytes);
  await within(20_000, "the other stream", readExactly(active, PLENTY));
  await sending;
  // More do not make it hold more.
  for (let i = 0; i < 20; i++) {
    const [near, far] = await pair.open();
    stopped.push(near);
    writes.push(far.write(bytes).catch(() => {}));
  }
  await pair.quiet();
  assert(held() <= limit + CIRCUIT_WINDOW, `${held()} units`);
  assert(pair.backward.most() <= CIRCUIT_WINDOW);
  for (const stream of stopped) stream.abort("misc");
  await Promise.all(writes);
  assert(!pair.client.clogged);
  assertEquals(pair.failures, []);
});

Deno.test("half-close: each direction ends by itself, and the other goes on", async () => {
  for (const isNearFirst of [true, false]) {
    const pair = new MuxPair();
    const ends = await pair.open();
    const [first, second] = isNearFirst ? ends : ends.toReversed();
    await first!.write(new Uint8Array(10));
    await first!.closeWrite();
    await first!.closeWrite();
    assertEquals((await readAll(second!)).length, 10);
    assertEquals(await second!.read(new Uint8Array(1)), null);
    const error = await assertRejects(
      () => first!.write(new Uint8Array(1)),
      StreamError,
    );
    assertEquals(error.reason, "done");
    const writing = second!.write(new Uint8Array(PLENTY));
    await readExactly(first!, PLENTY);
    await writing;
    assertEquals([pair.client.size, pair.exit.size], [1, 1]);
    await second!.closeWrite();
    assertEquals(await first!.read(new Uint8Array(1)), null);
    assertEquals([pair.client.size, pair.exit.size], [0, 0]);
    assertEquals(pair.failures, []);
  }
});

Deno.test("an end of the direction comes behind a write that still waits for room", async () => {
  const pair = new MuxPair();
  const [near, far] = await pair.open();
  const writing = near.write(new Uint8Array(PLENTY));
  const closing = near.closeWrite();
  assertEquals((await within(20_000, "all", readAll(far))).length, PLENTY);
  await writing;
  await closing;
  assertEquals(pair.failures, []);
});

Deno.test("what was aborted says why at the other end, and leaves nothing behind", async () => {
  const pair = new MuxPair();
  for (const reason of ["reset", "timeout", "misc"] as const) {
    for (const isNear of [true, false]) {
      const ends = await pair.open();
      const [from, to] = isNear ? ends : ends.toReversed();
      await from!.write(new Uint8Array(5));
      from!.abort(reason);
      // What had come before is read first.
      assertEquals((await readExactly(to!, 5)).length, 5);
      const error = await assertRejects(
        () => to!.read(new Uint8Array(1)),
        StreamError,
      );
      assertEquals(error.reason, reason);
      await assertRejects(() => to!.write(new Uint8Array(1)), StreamError);
      await assertRejects(() => from!.write(new Uint8Array(1)), StreamError);
      await assertRejects(() => from!.read(new Uint8Array(1)), StreamError);
      assertEquals([pair.client.size, pair.exit.size], [0, 0]);
    }
  }
  assertEquals(pair.failures, []);
});

Deno.test("a write that waits for room ends when its stream is aborted, at either end", async () => {
  for (const by of [0, 1] as const) {
    const pair = new MuxPair();
    const ends = await pair.open();
    const writing = assertRejects(
      () => ends[0].write(new Uint8Array(PLENTY)),
      StreamError,
    );
    await pause(5);
    ends[by].abort("reset");
    await within(20_000, "the write", writing);
    assertEquals(pair.failures, []);
  }
});

Deno.test("a write that waits for room on the circuit ends with its stream, and the room goes to others", async () => {
  const pair = new MuxPair();
  const stalled = [
    await pair.open(),
    await pair.open(),
    await pair.open(),
    await pair.open(),
  ];
  const [waiting] = await pair.open();
  const [next, nextFar] = await pair.open();
  const writes = stalled.map(([near]) => near.write(new Uint8Array(PLENTY)));
  await pause(5);
  assert(pair.forward.most() > CIRCUIT_WINDOW - UNITS[LARGE]);
  const writing = assertRejects(
    () => waiting.write(new Uint8Array(PLENTY)),
    StreamError,
  );
  const goesOn = next.write(new Uint8Array(PLENTY));
  await pause(5);
  waiting.abort("misc");
  await within(20_000, "the write", writing);
  // Once the readers go on, whoever waited behind it is served.
  const reads = stalled.map(([, far]) => readExactly(far, PLENTY));
  await within(20_000, "the next", readExactly(nextFar, PLENTY));
  await Promise.all([goesOn, ...writes, ...reads]);
  assertEquals(pair.failures, []);
});

Deno.test("streams that break with unread data leave the circuit to the others", async () => {
  const pair = new MuxPair();
  // Each leaves most of a stream's window unread; together far more than a circuit's.
  for (let i = 0; i < 8; i++) {
    for (const isNear of [true, false]) {
      const ends = await pair.open();
      const [from, to] = isNear ? ends : ends.toReversed();
      await from!.write(new Uint8Array(MOST_OF_A_STREAM));
      await pause(1);
      assert(to!.buffered > 0);
      from!.abort("reset");
      await pause(1);
      if (i % 2 === 0) to!.close();
    }
  }
  const [near, far] = await pair.open();
  for (const [from, to] of [[near, far], [far, near]] as const) {
    const writing = from.write(new Uint8Array(PLENTY));
    await within(20_000, "the other stream", readExactly(to, PLENTY));
    await writing;
  }
  assertEquals(pair.failures, []);
});

Deno.test("all streams that a circuit may have, and none more, until one ends", async () => {
  const pair = new MuxPair();
  const streams = await Promise.all(
    Array.from({ length: STREAMS_LIMIT }, async () => (await pair.open())[0]),
  );
  assertEquals([pair.client.size, pair.exit.size], [
    STREAMS_LIMIT,
    STREAMS_LIMIT,
  ]);
  const error = await assertRejects(() => pair.open(), StreamError);
  assertEquals(error.reason, "resource-limit");
  streams[7]!.close();
  const [near, far] = await pair.open();
  await near.write(new Uint8Array(3));
  assertEquals((await readExactly(far, 3)).length, 3);
});

Deno.test("numbers of streams are used again only when they are free", async () => {
  const pair = new MuxPair();
  const [first] = await pair.open();
  for (let i = 0; i < 65_534; i++) {
    const [near, far] = await pair.open();
    assert(near.id !== first.id);
    near.close();
    pair.accepted.pop();
    void far;
  }
  const [next] = await pair.open();
  assertEquals(next.id, 2);
});

Deno.test("an attempt that is given up fails at once, and what comes for it later is forgotten", async () => {
  let answer = () => {};
  const pair = new MuxPair(undefined, {
    begin: (stream) => answer = () => pair.exit.connected(stream.id),
    resolve: (id) => answer = () => pair.exit.resolved(id, ["192.0.2.1"]),
  });
  const attempts = [
    (signal: AbortSignal) =>
      pair.client.open({ host: "echo", port: 1 }, signal),
    (signal: AbortSignal) => pair.client.resolve("echo", signal),
  ];
  for (const attempt of attempts) {
    const given = new AbortController();
    const opening = assertRejects(() => attempt(given.signal), Error, "enough");
    await pause(1);
    given.abort(new Error("enough"));
    await opening;
    assertEquals(pair.client.size, 0);
    answer();
    await pause(1);
    await assertRejects(() => attempt(given.signal), Error, "enough");
    assertEquals(pair.client.size, 0);
  }
  assertEquals(pair.failures, []);
});

Deno.test("when the circuit is gone every stream, attempt and write ends with that", async () => {
  const pair = new MuxPair(undefined, { begin() {}, resolve() {} });
  const gone = new StreamError("circuit-gone", "Cannot go on: gone");
  const opening = assertRejects(
    () => pair.client.open({ host: "echo", port: 1 }),
    StreamError,
    "gone",
  );
  const asking = assertRejects(() => pair.client.resolve("echo"), StreamError);
  const other = new MuxPair();
  const [near] = await other.open();
  const writing = assertRejects(
    () => near.write(new Uint8Array(PLENTY)),
    StreamError,
    "gone",
  );
  await pause(1);
  pair.client.lost(gone);
  other.client.lost(gone);
  await Promise.all([opening, asking, writing]);
  await assertRejects(
    () => pair.client.open({ host: "echo", port: 1 }),
    StreamError,
    "gone",
  );
  assertEquals([pair.client.size, other.client.size], [0, 0]);
});
