import { assert, assertEquals } from "@std/assert";
import {
  ABSENCES,
  Farewell,
  LEAVING_ROUNDS,
  STAYING_ROUNDS,
} from "../../../lib/mix/conversation/farewell.ts";
import { Inbox, WINDOW } from "../../../lib/mix/conversation/inbox.ts";
import { Outbox } from "../../../lib/mix/conversation/outbox.ts";
import { cutText, MessageType } from "../../../lib/peer/mod.ts";
import type { PeerMessage } from "../../../lib/peer/mod.ts";
import { randomBytes, utf8 } from "../../../lib/protocol/mod.ts";

/** Draws that give 0 for every number. */
function zeros(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length);
}

function said(box: Outbox, text: string): string {
  return box.say({ id: randomBytes(8), sentAt: 1, text }).id;
}

function sent(box: Outbox, round: number, pending = 0): number {
  return box.next(round, pending, 2, zeros).seq;
}

Deno.test("outbox: at most 32 messages are under way; acknowledged ones make room", () => {
  const box = new Outbox();
  for (let i = 0; i < 100; i++) said(box, `${i}`);
  const first = new Set<number>();
  for (let round = 0; round < 300; round++) first.add(sent(box, round, 16));
  // With the window full and nothing due it says nothing.
  assert(first.delete(0));
  assertEquals(
    [...first].sort((a, b) => a - b),
    Array.from({ length: WINDOW }, (_, i) => i + 1),
  );
  box.acknowledge({ ack: 1, sack: 0 });
  const second = new Set<number>();
  for (let round = 300; round < 600; round++) second.add(sent(box, round, 16));
  second.delete(0);
  assertEquals(Math.min(...second), 2);
  assertEquals(Math.max(...second), 33);
  assertEquals(box.undelivered, 99);
});

Deno.test("outbox: sent again 2 to 4 rounds later, later while rounds are pending, at once if lost, not if it arrived", () => {
  const gaps = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const box = new Outbox();
    said(box, "x");
    assertEquals(box.next(0, 0, 2, randomBytes).seq, 1);
    let gap = 1;
    while (box.next(gap, 0, 2, randomBytes).seq === 0) gap++;
    gaps.add(gap);
  }
  assertEquals([...gaps].sort(), [2, 3, 4]);

  const slow = new Outbox();
  said(slow, "x");
  assertEquals(sent(slow, 0, 3), 1);
  let gap = 1;
  while (sent(slow, gap) === 0) gap++;
  assertEquals(gap, 8);

  const lost = new Outbox();
  said(lost, "x");
  assertEquals(sent(lost, 0), 1);
  lost.lost(5);
  assertEquals(sent(lost, 1), 0);
  lost.lost(0);
  assertEquals(sent(lost, 2), 1);
  lost.acknowledge({ ack: 1, sack: 0 });
  for (let round = 3; round < 20; round++) assertEquals(sent(lost, round), 0);
});

Deno.test("outbox: no text before keys; goodbye behind all", () => {
  const box = new Outbox();
  said(box, "x");
  box.hangUp(Uint8Array.of(0));
  assertEquals(box.next(0, 0, 0, zeros).type, MessageType.COVER);
  box.renew([Uint8Array.of(7)]);
  assertEquals(box.next(1, 0, 0, zeros).type, MessageType.RATCHET);
  assertEquals(box.next(2, 0, 1, zeros).type, MessageType.TEXT);
  box.acknowledge({ ack: 2, sack: 0 });
  assertEquals(box.next(3, 0, 1, zeros).type, MessageType.HANGUP);
});

/** Types of what goes in six rounds of a generation, with four parts of keys and two texts to be sent. */
function orderIn(generation: number): MessageType[] {
  const box = new Outbox();
  box.renew([1, 2, 3, 4].map((part) => Uint8Array.of(part)));
  said(box, "x");
  said(box, "y");
  return Array.from(
    { length: 6 },
    (_, round) => box.next(round, 9, generation, zeros).type,
  );
}

Deno.test("S3.8: outbox: texts wait for new keys while they are not safe from quantum computers", () => {
  const { COVER, RATCHET, TEXT } = MessageType;
  const keys = [RATCHET, RATCHET, RATCHET, RATCHET];
  assertEquals(orderIn(0), [...keys, COVER, COVER]);
  assertEquals(orderIn(1), [...keys, TEXT, TEXT]);
});

Deno.test("S3.8: outbox: later texts and new keys take turns, and neither waits when the other has nothing", () => {
  const { COVER, RATCHET, TEXT } = MessageType;
  assertEquals(orderIn(2), [TEXT, RATCHET, TEXT, RATCHET, RATCHET, RATCHET]);
  const box = new Outbox();
  said(box, "x");
  assertEquals(box.next(0, 9, 2, zeros).type, TEXT);
  said(box, "y");
  box.renew([1, 2].map((part) => Uint8Array.of(part)));
  // A text has just gone: it is the keys' turn.
  assertEquals(box.next(1, 9, 2, zeros).type, RATCHET);
  assertEquals(box.next(2, 9, 2, zeros).type, TEXT);
  assertEquals(box.next(3, 9, 2, zeros).type, RATCHET);
  assertEquals(box.next(4, 9, 2, zeros).type, COVER);
});

Deno.test("S3.4: a text is delivered when everything up to its last part is, not before", () => {
  const box = new Outbox();
  const a = said(box, "a".repeat(500));
  const b = said(box, "b");
  const order = [0, 1, 2].map((round) => sent(box, round, 5));
  assertEquals(order, [1, 2, 3]);
  assertEquals(box.exchanged(0), []);
  assertEquals(box.exchanged(1), [{ id: a, state: "exchanged", round: 1 }]);
  assertEquals(box.acknowledge({ ack: 1, sack: 1 }).advances, []);
  assertEquals(box.acknowledge({ ack: 1, sack: 1 }).arrived, []);
  assertEquals(box.accepts({ ack: 4, sack: 0 }), false);
  assertEquals(box.accepts({ ack: 2, sack: 1 }), false);
  assert(box.accepts({ ack: 3, sack: 0 }));
  assertEquals(box.acknowledge({ ack: 3, sack: 0 }).advances, [
    { id: a, state: "delivered" },
    { id: b, state: "delivered" },
  ]);
  assertEquals(box.undelivered, 0);
});

Deno.test("inbox: gives texts in order whatever the order of arrival, with other messages between their parts", () => {
  const text = (name: string, length: number) =>
    cutText({ id: randomBytes(8), sentAt: 1, text: name.repeat(length) });
  const [a, b] = [text("a", 900), text("b", 10)];
  const messages: PeerMessage[] = [
    { type: MessageType.TEXT, ...a[0]! },
    { type: MessageType.RATCHET, flags: 0, payload: utf8("k") },
    { type: MessageType.TEXT, ...a[1]! },
    { type: MessageType.TEXT, ...a[2]! },
    { type: MessageType.TEXT, ...b[0]! },
    { type: MessageType.HANGUP, flags: 0, payload: Uint8Array.of(0) },
  ].map((message, i) => ({ ...message, seq: i + 1, ack: 0, sack: 0 }));
  const given: string[] = [];
  const box = new Inbox();
  for (const at of [5, 4, 3, 1, 2, 0]) {
    assertEquals(box.has(at + 1), false);
    const more = box.take(messages[at]!);
    assert(at === 0 || more.length === 0);
    given.push(...more.map((each) => "text" in each ? each.text[0]! : "bye"));
    assert(box.has(at + 1));
  }
  assertEquals(given, ["a", "b", "bye"]);
  assertEquals(box.acknowledgement, { ack: 6, sack: 0 });
  assert(box.fits(6 + WINDOW));
  assertEquals(box.fits(7 + WINDOW), false);
});

Deno.test("farewell: when who leaves and who is left are done", () => {
  const rounds = (farewell: Farewell, absent: boolean): number => {
    for (let i = 0; i < 100; i++) {
      farewell.turn();
      if (farewell.over) return i;
      farewell.round(absent);
    }
    return Infinity;
  };
  assertEquals(rounds(new Farewell(), true), Infinity);
  const leaving = new Farewell();
  leaving.leave();
  for (let i = 0; i < 20; i++) leaving.turn();
  leaving.progress();
  assertEquals(rounds(leaving, false), LEAVING_ROUNDS);
  const acknowledged = new Farewell();
  acknowledged.leave();
  acknowledged.acknowledged();
  assert(acknowledged.over);
  const staying = new Farewell();
  staying.hangUp();
  assertEquals(rounds(staying, false), STAYING_ROUNDS);
  const alone = new Farewell();
  alone.hangUp();
  assertEquals(rounds(alone, true), ABSENCES);
});
