import { assert, assertEquals } from "@std/assert";
import { CommandWriter, HELO } from "../../../lib/protocol/mod.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import { Seat } from "../../../lib/mix/coordinator/seat.ts";
import { FakeLink } from "./fake_link.ts";
import { VirtualTime } from "../virtual_time.ts";

const ROUND = { kind: RoundKind.EXCHANGE, start: 2_000 };
const HELLO = new CommandWriter().verb(HELO).done();

Deno.test("S3.5: whatever is sent to a client arrives in order, also while it does not read", async () => {
  using time = new VirtualTime();
  const link = new FakeLink();
  const seat = new Seat(0, link, time);
  link.reads = false;
  for (let start = 0; start < 100; start++) {
    seat.failed({ ...ROUND, start }, start);
  }
  await time.settle();
  assertEquals(link.heard.length, 1);
  link.readAgain();
  await time.settle();
  assertEquals(
    link.heard.map((message) => message.describe()),
    Array.from(
      { length: 100 },
      (_, start) =>
        `ROUND-KIND=1 ROUND-START=${start} FAULT-PLACE=${start} ROUND-FAILED`,
    ),
  );
  assertEquals(seat.waiting, 0);
});

Deno.test("S3.5: half a megabyte waits for a client at most, then it is dropped", async () => {
  using time = new VirtualTime();
  const link = new FakeLink();
  const seat = new Seat(0, link, time);
  link.reads = false;
  const replies = new Uint8Array(60_000);
  let most = 0;
  for (let i = 0; i < 8; i++) {
    seat.done(ROUND, replies);
    most = Math.max(most, seat.waiting);
  }
  assertEquals(link.ended, undefined);
  assert(most > 480_000 && most <= 524_288);
  seat.done(ROUND, replies);
  assertEquals([link.ended, seat.waiting], ["aborted", 0]);
  seat.done(ROUND, replies);
  assertEquals(seat.waiting, 0);
  await time.settle();
});

Deno.test("S3.5: a little that is not taken for more than 15 seconds is too much", async () => {
  for (const [wait, ended] of [[15_000, undefined], [15_001, "aborted"]]) {
    using time = new VirtualTime();
    const link = new FakeLink();
    const seat = new Seat(0, link, time);
    link.reads = false;
    seat.post(HELLO);
    await time.advance(wait as number);
    seat.post(HELLO);
    assertEquals(link.ended, ended);
    link.leave();
    await time.settle();
  }
});

Deno.test("S3.5: what failed to be sent is of no consequence but for whoever reads from the client", async () => {
  using time = new VirtualTime();
  const link = new FakeLink();
  const seat = new Seat(0, link, time);
  link.leave();
  await seat.reply(HELLO);
  seat.post(HELLO);
  await time.settle();
  assertEquals([link.heard.length, seat.waiting], [0, 0]);
});

Deno.test("S3.5: a client that does not take its farewell is dropped after two seconds", async () => {
  using time = new VirtualTime();
  const link = new FakeLink();
  const seat = new Seat(0, link, time);
  link.reads = false;
  seat.post(HELLO);
  const closing = seat.close();
  await time.advance(1_999);
  assertEquals(link.ended, undefined);
  await time.advance(1);
  assertEquals(link.ended, "aborted");
  await closing;
  assertEquals(time.waiting, 0);
});
