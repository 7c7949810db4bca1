import { assert, assertEquals } from "@std/assert";
import { memoryConnection } from "../../support/memory_stream.ts";
import { later, pair, pattern, receiveBytes } from "./pair.ts";

const PIECE = 65_536;
/** What a channel may hold for a side that is slow: queued, being sealed or opened, being written. */
const BOUND = 4 * 1_048_576;

/** Sends pieces until nothing moves any more; how many were taken. */
async function fill(send: () => Promise<void>): Promise<number> {
  let taken = 0;
  let stopped = false;
  (async () => {
    while (!stopped) {
      await send();
      taken++;
    }
  })().catch(() => {/* the channel was dropped */});
  for (let before = -1; taken !== before;) {
    before = taken;
    await later(30);
  }
  stopped = true;
  return taken;
}

Deno.test("Channel: a side that stops reading stops the one who sends, within bounds of memory", async () => {
  await using both = await pair({ rightward: { capacity: 100_000 } });
  const taken = await fill(() => both.left.send(pattern(PIECE)));
  assert(taken * PIECE < BOUND, `${taken} pieces were taken`);
  assert(taken * PIECE > 100_000);
});

Deno.test("Channel: what was held back goes on when the other side reads again, in order", async () => {
  await using both = await pair({ rightward: { capacity: 100_000 } });
  const { left, right } = both;
  const total = 64;
  const sending = (async () => {
    for (let i = 0; i < total; i++) await left.send(pattern(PIECE, i));
  })();
  await later(30);
  for (let i = 0; i < total; i++) {
    const piece = await receiveBytes(right, PIECE);
    assert(piece.every((byte, at) => byte === pattern(1, i)[0]! || at > 0));
    if (i % 16 === 0) assertEquals(piece, pattern(PIECE, i));
  }
  await sending;
});

Deno.test("Channel: nothing is read ahead beyond a bound while nobody receives", async () => {
  await using both = await pair({ rightward: { capacity: 16 * 1_048_576 } });
  const { left, right, connection } = both;
  await left.send(pattern(1));
  await right.receive();
  const total = 12 * 1_048_576;
  for (let sent = 0; sent < total; sent += PIECE) {
    await left.send(pattern(PIECE));
  }
  await left.flushed();
  await later(30);
  const read = total - connection.left.unread;
  assert(read < BOUND, `${read} bytes were read that nobody asked for`);
});

Deno.test("Channel: small sends that nobody waits for do not cost a record, a write or a promise each", async () => {
  let records = 0;
  await using both = await pair({
    rightward: {
      edit: (record) => {
        records++;
        return [record];
      },
    },
  });
  const { left, right } = both;
  const count = 100_000;
  const one = pattern(1);
  for (let i = 0; i < count; i++) left.send(one).catch(() => {});
  assertEquals(await receiveBytes(right, count), new Uint8Array(count));
  assert(records < 100, `${records} records`);
});

Deno.test("memory connection: a write waits for room and a read for bytes, as on a socket", async () => {
  const { left, right } = memoryConnection({ rightward: { capacity: 5 } });
  assertEquals(await left.write(new Uint8Array(8)), 5);
  let written = false;
  const writing = left.write(new Uint8Array(3)).then((n) => {
    written = true;
    return n;
  });
  await later();
  assertEquals(written, false);
  assertEquals(await right.read(new Uint8Array(2)), 2);
  assertEquals(await writing, 2);
  left.close();
  assertEquals(await right.read(new Uint8Array(9)), 3);
  assertEquals(await right.read(new Uint8Array(9)), 2);
  assertEquals(await right.read(new Uint8Array(9)), null);
  right.close();
});
