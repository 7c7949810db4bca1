import { assert, assertEquals } from "@std/assert";
import { receiveAll } from "../../../lib/protocol/channel/channel.ts";
import { later, pair, pattern, rejectsWith } from "./pair.ts";

Deno.test("S1.5: CLOSE is null at the other side, behind everything that was sent, and stays null", async () => {
  await using both = await pair();
  const { left, right } = both;
  left.send(pattern(300_000));
  await Promise.all([
    left.close(),
    receiveAll(right).then((all) => assertEquals(all, pattern(300_000))),
  ]);
  assertEquals(await right.receive(), null);
  assertEquals(await right.receive(), null);
  await right.close();
});

Deno.test("S1.5: a connection that ends without CLOSE was cut, and says so", async () => {
  await using both = await pair();
  const { left, right, connection } = both;
  await left.send(pattern(10));
  await left.flushed();
  connection.cut();
  assertEquals(await right.receive(), pattern(10));
  await rejectsWith(right.receive(), "ERR_CHANNEL_CUT");
  assert(connection.right.closed, "the connection is closed");
});

Deno.test("S1.5: a connection that ends inside a record, at any byte of it, was cut", async () => {
  for (let keep = 0; keep < 4 + 10 + 16; keep++) {
    await using both = await pair({
      rightward: { edit: (record) => [record.slice(0, keep)] },
    });
    const { left, right, connection } = both;
    await left.send(pattern(10));
    await left.flushed();
    connection.cut();
    await rejectsWith(right.receive(), "ERR_CHANNEL_CUT");
    left.abort();
  }
});

Deno.test("S1.5: CLOSE taken away by somebody on the way is a cut", async () => {
  await using both = await pair({
    rightward: { edit: (record) => record.length === 20 ? [] : [record] },
  });
  const { left, right } = both;
  await left.send(pattern(10));
  await left.close();
  assertEquals(await right.receive(), pattern(10));
  await rejectsWith(right.receive(), "ERR_CHANNEL_CUT");
});

Deno.test("S1.5: CLOSE cannot be made by somebody on the way, nor moved forward, nor taken from the other direction", async () => {
  const made = new Uint8Array(20);
  made[3] = 16;
  await using forged = await pair({ rightward: { edit: () => [made] } });
  await forged.left.send(pattern(10));
  await rejectsWith(forged.right.receive(), "ERR_CHANNEL_FORGED");

  let held: Uint8Array<ArrayBuffer> | undefined;
  await using moved = await pair({
    rightward: {
      edit: (record) => {
        if (record.length === 20) return [record, held!];
        held = record;
        return [];
      },
    },
  });
  await moved.left.send(pattern(10));
  await moved.left.close();
  await rejectsWith(moved.right.receive(), "ERR_CHANNEL_FORGED");

  // The other direction's CLOSE, at the same place in the count of records.
  const closes: Uint8Array<ArrayBuffer>[] = [];
  await using donor = await pair({
    rightward: {
      edit: (record) => {
        closes.push(record);
        return [];
      },
    },
  });
  await donor.left.close();
  assertEquals(closes.length, 1);
  await using reflected = await pair({ leftward: { edit: () => closes } });
  await reflected.right.send(pattern(10));
  await rejectsWith(reflected.left.receive(), "ERR_CHANNEL_FORGED");
});

Deno.test("Channel: a broken connection is a cut, for what is pending too", async () => {
  await using both = await pair({
    leftward: { capacity: 1_000 },
  });
  const { right, connection } = both;
  const receiving = right.receive();
  const flushing = right.send(pattern(50_000)).then(() => right.flushed());
  await later(2);
  connection.reset();
  await rejectsWith(receiving, "ERR_CHANNEL_CUT");
  // The failed receive closes the channel; either is a true answer for what could not be sent.
  await rejectsWith(flushing, "ERR_CHANNEL_CUT", "ERR_CHANNEL_CLOSED");
  await rejectsWith(
    right.send(pattern(1)),
    "ERR_CHANNEL_CUT",
    "ERR_CHANNEL_CLOSED",
  );
});

Deno.test("Channel: one who writes to somebody who is gone is told so", async () => {
  await using both = await pair({ rightward: { capacity: 1_000 } });
  const { left, right } = both;
  right.abort();
  await left.send(pattern(50_000)).catch(() => {});
  await rejectsWith(left.flushed(), "ERR_CHANNEL_CUT");
  await rejectsWith(left.send(pattern(1)), "ERR_CHANNEL_CUT");
  await left.close();
});

Deno.test("Channel: closing twice, closing after an abort and aborting twice do no harm", async () => {
  await using both = await pair();
  const { left, right, connection } = both;
  await Promise.all([left.close(), left.close()]);
  await left.close();
  left.abort();
  assertEquals(await right.receive(), null);
  right.abort();
  right.abort();
  await right.close();
  assert(connection.left.closed && connection.right.closed);
});

Deno.test("Channel: an abort ends a pending receive, which then is closed and not cut", async () => {
  await using both = await pair();
  const { left, right } = both;
  const receiving = right.receive();
  await later();
  right.abort();
  await rejectsWith(receiving, "ERR_CHANNEL_CLOSED");
  await rejectsWith(right.receive(), "ERR_CHANNEL_CLOSED");
  await rejectsWith(left.receive(), "ERR_CHANNEL_CUT");
});

Deno.test("Channel: a close ends a pending receive likewise", async () => {
  await using both = await pair();
  const { left, right } = both;
  const receiving = right.receive();
  await later();
  await right.close();
  await rejectsWith(receiving, "ERR_CHANNEL_CLOSED");
  assertEquals(await left.receive(), null);
});

Deno.test("Channel: an abort fails what waits to be sent", async () => {
  await using both = await pair({ rightward: { capacity: 100 } });
  const { left } = both;
  const sending = left.send(pattern(2_000_000));
  const flushing = left.flushed();
  await later();
  left.abort();
  await rejectsWith(sending, "ERR_CHANNEL_CLOSED");
  await rejectsWith(flushing, "ERR_CHANNEL_CLOSED");
  await rejectsWith(left.send(pattern(1)), "ERR_CHANNEL_CLOSED");
});

Deno.test("Channel: nothing can be sent behind CLOSE, from the call of close on", async () => {
  await using both = await pair({ rightward: { capacity: 1_000 } });
  const { left, right } = both;
  left.send(pattern(100_000));
  const closing = left.close();
  await rejectsWith(left.send(pattern(1)), "ERR_CHANNEL_CLOSED");
  assertEquals(await receiveAll(right), pattern(100_000));
  await closing;
  await rejectsWith(left.send(pattern(1)), "ERR_CHANNEL_CLOSED");
});

Deno.test("Channel: a close towards one who does not read ends when the connection does", async () => {
  await using both = await pair({
    rightward: { capacity: 1_000 },
  });
  const { left, connection } = both;
  left.send(pattern(100_000)).catch(() => {});
  let closed = false;
  const closing = left.close().then(() => closed = true);
  await later(5);
  assertEquals(closed, false);
  connection.reset();
  await closing;
});

Deno.test("Channel: what comes behind CLOSE is not read", async () => {
  let close: Uint8Array<ArrayBuffer> | undefined;
  await using both = await pair({
    rightward: {
      edit: (record) => {
        close = record;
        return [record, record, new Uint8Array(100)];
      },
    },
  });
  const { left, right } = both;
  await left.close();
  assertEquals(await right.receive(), null);
  assertEquals(await right.receive(), null);
  assertEquals(close!.length, 20);
  right.abort();
});
