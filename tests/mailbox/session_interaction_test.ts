import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { u32 } from "../../lib/protocol/mod.ts";
import type { PeerMessage } from "../../lib/peer/mod.ts";
import { isNumbered, MessageType } from "../../lib/peer/mod.ts";
import { forgetOneTimePrekey } from "../../lib/mailbox/prekey_secrets.ts";
import type { PrekeySecrets } from "../../lib/mailbox/prekey_secrets.ts";
import {
  isDelivered,
  openLetter,
  sealMessage,
} from "../../lib/mailbox/session.ts";
import type { OpenedLetter } from "../../lib/mailbox/session.ts";
import { acceptSession } from "../../lib/mailbox/session_start.ts";
import type { Session } from "../../lib/mailbox/session_state.ts";
import {
  decodeSession,
  encodeSession,
} from "../../lib/mailbox/session_state.ts";
import { codeOf, flipped, person, start } from "./people.ts";
import type { Person } from "./people.ts";

/** A letter on its way, with what must be shown when it opens. */
interface InFlight {
  readonly letter: Bytes;
  readonly message: PeerMessage;
}

/** One side and the naive model of it: plain sets of numbers. */
interface Side {
  readonly who: Person;
  prekeys: PrekeySecrets;
  session: Session | null;
  /** Letters to this side that have neither been opened nor lost. */
  inbox: InFlight[];
  /** Letters to this side that have been opened. */
  readonly opened: InFlight[];
  readonly sent: PeerMessage[];
  readonly received: Set<number>;
  readonly delivered: Set<number>;
}

const step = fc.record({
  side: fc.nat(1),
  act: fc.oneof(
    { weight: 8, arbitrary: fc.constant("send" as const) },
    { weight: 1, arbitrary: fc.constant("send again" as const) },
    { weight: 8, arbitrary: fc.constant("deliver" as const) },
    { weight: 2, arbitrary: fc.constant("deliver the last" as const) },
    { weight: 2, arbitrary: fc.constant("duplicate" as const) },
    { weight: 1, arbitrary: fc.constant("lose" as const) },
    { weight: 2, arbitrary: fc.constant("alter" as const) },
    { weight: 1, arbitrary: fc.constant("reflect" as const) },
    { weight: 1, arbitrary: fc.constant("restart" as const) },
  ),
  pick: fc.nat(),
});

Deno.test("S3.4: under any schedule of sending, loss, reordering, replay and restarts every letter is shown exactly once", async () => {
  const totals = { shown: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 300, maxLength: 400, size: "max" }),
      async (steps) => {
        const [alice, bob] = await Promise.all([side(), side()]);
        alice.session = await start(alice.who, bob.who);
        for (const each of steps) {
          const [self, other] = each.side === 0 ? [alice, bob] : [bob, alice];
          totals.refused += await take(each.act, each.pick, self, other);
        }
        // What was not lost arrives in the end, the newest first.
        for (const [self, other] of [[alice, bob], [bob, alice]] as const) {
          while (self.inbox.length > 0) {
            await deliver(self, other, self.inbox.length - 1);
          }
          compare(self);
        }
        totals.shown += alice.opened.length + bob.opened.length;
      },
    ),
    { numRuns: 12 },
  );
  assert(totals.shown > 500, `${totals.shown} shown`);
  assert(totals.refused > 100, `${totals.refused} refused`);
});

async function side(): Promise<Side> {
  const who = await person();
  return {
    who,
    prekeys: who.prekeys,
    session: null,
    inbox: [],
    opened: [],
    sent: [],
    received: new Set(),
    delivered: new Set(),
  };
}

/** One step; returns how many letters were refused, as they had to be. */
async function take(
  act: (typeof step extends fc.Arbitrary<infer T> ? T : never)["act"],
  pick: number,
  self: Side,
  other: Side,
): Promise<number> {
  const chosen = self.inbox[pick % Math.max(1, self.inbox.length)];
  switch (act) {
    case "send":
      await send(self, other, pick);
      return 0;
    case "send again": {
      const before = self.sent[pick % Math.max(1, self.sent.length)];
      if (before !== undefined) await send(self, other, pick, before);
      return 0;
    }
    case "deliver":
      if (chosen !== undefined) {
        await deliver(self, other, pick % self.inbox.length);
      }
      return 0;
    case "deliver the last":
      if (chosen !== undefined) {
        await deliver(self, other, self.inbox.length - 1);
      }
      return 0;
    case "lose":
      self.inbox = self.inbox.filter((each) => each !== chosen);
      return 0;
    case "restart":
      if (self.session !== null) {
        self.session = decodeSession(encodeSession(self.session));
      }
      return 0;
    case "duplicate": {
      const old = self.opened[pick % Math.max(1, self.opened.length)];
      return old === undefined ? 0 : await refused(
        self,
        other,
        old.letter,
        // Of chains more than 32 turns back nothing is remembered.
        /^ERR_RATCHET_(USED|UNOPENED)$/,
      );
    }
    case "alter":
      return chosen === undefined ? 0 : await refused(
        self,
        other,
        flipped(chosen.letter, pick % (chosen.letter.length * 8)),
        /^ERR_(RATCHET|SESSION|MALFORMED|PREKEY)/,
      );
    case "reflect": {
      const own = other.inbox[pick % Math.max(1, other.inbox.length)];
      return own === undefined ? 0 : await refused(
        self,
        other,
        own.letter,
        /^ERR_(RATCHET_UNOPENED|RATCHET_TOO_FAR|SESSION_PARTY)$/,
      );
    }
  }
}

async function send(
  self: Side,
  other: Side,
  pick: number,
  again?: PeerMessage,
): Promise<void> {
  if (self.session === null) return;
  const types = Object.values(MessageType)
    .filter((type) => type !== MessageType.RATCHET);
  const type = again?.type ?? types[pick % types.length]!;
  const payload = again?.payload ?? u32(pick & 0x7fffffff);
  const flags = again?.flags ?? (type === MessageType.TEXT ? pick % 4 : 0);
  const sealed = await sealMessage(self.session, self.who.own, {
    type,
    flags,
    payload,
    ...(again === undefined ? {} : { repeats: again.seq }),
  });
  self.session = sealed.session;
  const numbered = self.sent.length + 1;
  const seq = again?.seq ?? (isNumbered(type) ? numbered : 0);
  assertEquals(sealed.seq, seq);
  const message = { type, flags, seq, payload, ...naiveAck(self.received) };
  if (again === undefined && seq > 0) self.sent.push(message);
  other.inbox.push({ letter: sealed.letter, message });
}

async function deliver(self: Side, other: Side, at: number): Promise<void> {
  const [arrived] = self.inbox.splice(at, 1);
  const { letter, message } = arrived!;
  const { session, message: shown, fresh } = await open(self, other, letter);
  self.session = session;
  assertEquals(shown, message);
  assertEquals(fresh, message.seq === 0 || !self.received.has(message.seq));
  self.opened.push(arrived!);
  if (message.seq > 0) self.received.add(message.seq);
  for (let seq = 1; seq <= message.ack; seq++) self.delivered.add(seq);
  for (let bit = 0; bit < 32; bit++) {
    if (Math.floor(message.sack / 2 ** bit) % 2 === 1) {
      self.delivered.add(message.ack + 2 + bit);
    }
  }
  compare(self);
}

async function open(
  self: Side,
  other: Side,
  letter: Bytes,
): Promise<OpenedLetter> {
  const { own } = self.who;
  const peer = other.who.own.certificate;
  if (self.session !== null) {
    return await openLetter(self.session, own, peer, letter);
  }
  const accepted = await acceptSession(own, peer, self.prekeys, letter);
  self.prekeys = forgetOneTimePrekey(self.prekeys, accepted.oneTimeId);
  return accepted;
}

async function refused(
  self: Side,
  other: Side,
  letter: Bytes,
  expected: RegExp,
): Promise<number> {
  const before = self.session && encodeSession(self.session);
  assertMatch(await codeOf(() => open(self, other, letter)), expected);
  assertEquals(self.session && encodeSession(self.session), before);
  return 1;
}

/** The session agrees with the plain sets. */
function compare(self: Side): void {
  const { session, received, delivered, sent } = self;
  if (session === null) return;
  const naive = naiveAck(received);
  assertEquals(session.received.cumulative, naive.ack);
  for (let seq = 1; seq <= sent.length; seq++) {
    assertEquals(isDelivered(session, seq), delivered.has(seq), `${seq}`);
  }
}

function naiveAck(
  received: ReadonlySet<number>,
): { ack: number; sack: number } {
  let ack = 0;
  while (received.has(ack + 1)) ack++;
  let sack = 0;
  for (let bit = 0; bit < 32; bit++) {
    if (received.has(ack + 2 + bit)) sack += 2 ** bit;
  }
  return { ack, sack };
}
