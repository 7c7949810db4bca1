import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  BODY_BYTES,
  CELL,
  DESTROY_REASONS,
  LARGE,
  SMALL,
} from "../../../lib/onion/cell/cell.ts";
import type { CellHeader, CellSize } from "../../../lib/onion/cell/cell.ts";
import { Link } from "../../../lib/onion/link/link.ts";
import { LinkWatch } from "../../../lib/onion/link/link_watch.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { Channel, randomBytes, TrafficKey } from "../../../lib/protocol/mod.ts";
import { memoryConnection } from "../../support/memory_stream.ts";
import type { Passage } from "../../support/memory_stream.ts";
import { HandClock } from "../hand_clock.ts";
import { pause, until, within } from "../streams.ts";

const NOTHING = new Uint8Array(0);

interface Came extends CellHeader {
  readonly body: Bytes;
}

/** Two ends of a link; the right one keeps what comes. */
async function pair(rightward: Passage = {}) {
  const { left, right } = memoryConnection({ rightward });
  const [there, back] = [randomBytes(32), randomBytes(32)];
  const hash = randomBytes(32);
  const channel = async (stream: typeof left, out: Bytes, into: Bytes) =>
    new Channel(stream, {
      send: await TrafficKey.of(out),
      receive: await TrafficKey.of(into),
      hash,
    });
  let held = 0;
  let most = 0;
  const from = new Link(
    await channel(left, there, back),
    () => performance.now(),
    (bytes) => {
      held += bytes;
      most = Math.max(most, held);
    },
  );
  const to = new Link(await channel(right, back, there), () => 0);
  const came: Came[] = [];
  const received = to.receive({
    cell: (header, body) => {
      came.push({ ...header, body: body.slice() });
    },
  });
  const answered = from.receive({ cell() {} });
  for (const each of [received, answered]) each.catch(() => {});
  return {
    from,
    to,
    came,
    received,
    get held() {
      return held;
    },
    get most() {
      return most;
    },
    async [Symbol.asyncDispose]() {
      from.abort();
      to.abort();
      await Promise.allSettled([received, answered]);
      await pause(1);
    },
  };
}

Deno.test("cells of each circuit come out in order and filled up, and what waited is given back", async () => {
  const cell = fc.record({
    circuit: fc.integer({ min: 1, max: 4 }),
    size: fc.constantFrom(SMALL, LARGE),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    isLater: fc.boolean(),
    pause: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(cell, { maxLength: 80 }),
      async (cells) => {
        await using link = await pair();
        const sent: { circuit: number; size: CellSize; body: Bytes }[] = [];
        const given: Bytes[] = [];
        for (const { circuit, size, part, isLater, ...each } of cells) {
          // The link fills up a little only: layers are almost as long as their cells.
          const least = BODY_BYTES[size] - BODY_BYTES[SMALL];
          const body = randomBytes(
            least + Math.floor(part * BODY_BYTES[SMALL]),
          );
          // The link takes the body over.
          sent.push({ circuit, size, body: body.slice() });
          if (body.length > 0) given.push(body);
          if (isLater && body.length > 0) {
            const later = pause(0).then(() => body);
            link.from.sendLater(circuit, CELL.RELAY, size, later, body.length);
          } else link.from.send(circuit, CELL.RELAY, size, body);
          if (each.pause) await pause(0);
        }
        await until(() => link.came.length === sent.length, "all come");
        for (let circuit = 1; circuit <= 4; circuit++) {
          const [out, into] = [sent, link.came].map((all) =>
            all.filter((each) => each.circuit === circuit)
          );
          for (const [i, { size, body }] of out!.entries()) {
            const came = into![i]!;
            assertEquals(came.size, size);
            assertEquals(came.body.length, BODY_BYTES[size]);
            const front = came.body.subarray(0, body.length);
            assertEquals(front.toHex(), body.toHex());
          }
        }
        assertEquals([link.held, link.from.queued], [0, 0]);
        assertEquals(link.from.traffic.out, link.to.traffic.in);
        const isGone = ({ buffer }: Bytes) => buffer.detached;
        await until(() => given.every(isGone), "the memory is given back");
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("what fills cells up is never the same twice", async () => {
  await using link = await pair();
  for (let i = 0; i < 50; i++) link.from.send(1, CELL.RELAY, SMALL, NOTHING);
  await until(() => link.came.length === 50, "all come");
  const seen = new Set<string>();
  for (const { body } of link.came) {
    for (let at = 0; at + 16 <= body.length; at += 16) {
      seen.add(body.slice(at, at + 16).toHex());
    }
  }
  assertEquals(seen.size, 50 * Math.floor(BODY_BYTES[SMALL] / 16));
});

Deno.test("padding comes to nobody; a DESTROY carries its reason, and overtakes what waits", async () => {
  await using link = await pair({ capacity: 1_000 });
  for (let i = 0; i < 40; i++) {
    link.from.send(1, CELL.RELAY, LARGE, new Uint8Array(BODY_BYTES[LARGE]));
  }
  link.from.send(2, CELL.RELAY, SMALL, NOTHING);
  link.from.destroy(1, "timeout");
  link.from.pad();
  link.from.send(2, CELL.RELAY, SMALL, NOTHING);
  const isLast = () => link.came.filter((each) => each.circuit === 2).length;
  await until(() => isLast() === 2, "all come");
  const destroys = link.came.filter(({ command }) => command === CELL.DESTROY);
  assertEquals(destroys.length, 1);
  assertEquals(DESTROY_REASONS[destroys[0]!.detail], "timeout");
  assertEquals(link.came.length, 3);
  assert(link.came.every(({ circuit }) => circuit !== 0));
  assertEquals([link.held, link.from.queued], [0, 0]);
});

Deno.test("a close sends what waits first; an abort gives back what waits", async () => {
  const closed = await pair();
  for (let i = 0; i < 20; i++) {
    closed.from.send(1, CELL.RELAY, LARGE, new Uint8Array(BODY_BYTES[LARGE]));
  }
  const receiving = closed.received;
  await within(20_000, "the close", closed.from.close());
  await within(20_000, "the end", receiving);
  assertEquals(closed.came.length, 20);
  assert(closed.from.ended && closed.to.ended);
  await closed[Symbol.asyncDispose]();

  await using aborted = await pair({ capacity: 1_000 });
  for (let i = 0; i < 20; i++) {
    aborted.from.send(1, CELL.RELAY, LARGE, new Uint8Array(BODY_BYTES[LARGE]));
  }
  assertEquals(aborted.held, 20 * BODY_BYTES[LARGE]);
  aborted.from.abort();
  assertEquals([aborted.held, aborted.from.queued], [0, 0]);
  await assertRejects(() => aborted.received);
  // What comes afterwards is dropped.
  aborted.from.send(1, CELL.RELAY, SMALL, NOTHING);
  aborted.from.destroy(1, "internal");
  assertEquals([aborted.held, aborted.from.queued], [0, 0]);
});

Deno.test("a link of which nothing is heard is ended, one of which something is heard is not", async () => {
  using clock = new HandClock();
  let ends = 0;
  const watch = new LinkWatch(() => ends++, 30);
  for (let i = 0; i < 20; i++) {
    watch.alive();
    await clock.advance(25);
  }
  assertEquals(ends, 0);
  await clock.advance(60);
  assertEquals(ends, 1);
  await clock.advance(70);
  assertEquals(ends, 1);
  watch.stop();
  new LinkWatch(() => ends++, 10).stop();
  await clock.advance(30);
  assertEquals(ends, 1);
});
