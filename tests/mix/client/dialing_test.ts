import { assert, assertEquals } from "@std/assert";
import { bucketOf, NOBODY } from "../../../lib/mix/dialing/buckets.ts";
import { TokenFilter } from "../../../lib/mix/dialing/filter.ts";
import type { DialSource, Loss } from "../../../lib/mix/client/sources.ts";
import * as commands from "../../../lib/mix/commands.ts";
import { RoundKind } from "../../../lib/mix/round.ts";
import type { RoundId } from "../../../lib/mix/round.ts";
import { CommandWriter, randomBytes } from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  ClientFixture,
  payloadsOf,
  roundOf,
  signed,
} from "./client_fixture.ts";

const { DIALING } = RoundKind;
const BUCKETS = 4;

/** Somebody who calls when `next` says so, and remembers what was heard. */
class Phone implements DialSource {
  readonly certificateId: Bytes = randomBytes(32);
  next: { to: Bytes; token: Bytes } | undefined;
  readonly done: (Loss | undefined)[] = [];
  readonly heardIn: RoundId[] = [];
  readonly listensFor: Bytes = randomBytes(32);
  rings = 0;

  dial(): ReturnType<DialSource["dial"]> {
    const call = this.next;
    this.next = undefined;
    return Promise.resolve(
      call && { ...call, done: (loss) => this.done.push(loss) },
    );
  }

  heard(
    round: RoundId,
    filter: { has(token: Bytes): boolean },
  ): Promise<void> {
    this.heardIn.push(round);
    if (filter.has(this.listensFor)) this.rings++;
    return Promise.resolve();
  }
}

/** Gives the filters of `shelf` (by the starts of their rounds) to whoever asks. */
function shelve(fixture: ClientFixture, shelf: Map<number, Bytes>): number[] {
  const asked: number[] = [];
  const { onMessage } = fixture.entry;
  fixture.entry.onMessage = (message, link) => {
    if (message.verb !== commands.FETCH_FILTER) return onMessage(message, link);
    asked.push(message.need(commands.BUCKET));
    const after = Number(message.need(commands.ROUND_START));
    const start = [...shelf.keys()].sort((a, b) => a - b)
      .find((each) => each > after);
    const answer = new CommandWriter();
    if (start !== undefined) {
      answer.set(commands.ROUND_START, BigInt(start))
        .set(commands.FILTER, shelf.get(start));
    }
    link.say(answer.verb(commands.FETCHED_FILTER).done());
  };
  return asked;
}

function dialing(fixture: ClientFixture, count = 3): Promise<Bytes> {
  return signed({
    kind: DIALING,
    first: fixture.soon(10_000),
    count,
    period: 10_000,
    window: 6_000,
    slots: 1,
    buckets: BUCKETS,
  });
}

Deno.test("S3.6: one token goes into every dialing round: a call's into its bucket, cover's into nobody's", async () => {
  const phone = new Phone();
  const fixture = new ClientFixture({ dial: phone });
  fixture.echo();
  const asked = shelve(fixture, new Map());
  await fixture.join();
  const call = { to: randomBytes(32), token: randomBytes(32) };
  phone.next = call;
  await fixture.announce(await dialing(fixture));
  await fixture.clock.advance(50_000);
  const payloads = fixture.entry.submissions(DIALING).map(({ message }) => {
    const [payload, ...more] = payloadsOf(message, 1);
    assertEquals([payload!.length, more.length], [36, 0]);
    return payload!;
  });
  const buckets = payloads.map((each) =>
    new DataView(each.buffer).getUint32(0)
  );
  assertEquals(buckets, [bucketOf(call.to, BUCKETS), NOBODY, NOBODY]);
  assertEquals(payloads[0]!.slice(4), call.token);
  assertEquals(new Set(payloads.map((each) => each.toHex())).size, 3);
  assertEquals(phone.done, [undefined]);
  assertEquals(fixture.client.status.dialing.done, 3);
  // Once for what was of late, once for what was before that, and once after each round.
  assertEquals(
    asked,
    new Array(5).fill(bucketOf(phone.certificateId, BUCKETS)),
  );
  await fixture.client.close();
});

Deno.test("S3.6: a call whose round fails is told so", async () => {
  const phone = new Phone();
  phone.next = { to: randomBytes(32), token: randomBytes(32) };
  const fixture = new ClientFixture({ dial: phone });
  fixture.entry.onMessage = (message, link) => {
    fixture.entry.courtesy(message, link);
    if (message.verb === commands.SUBMIT_ONIONS) {
      fixture.entry.failed(roundOf(message));
    }
  };
  await fixture.join();
  await fixture.announce(await dialing(fixture));
  await fixture.clock.advance(50_000);
  assertEquals(phone.done, ["failed"]);
  await fixture.client.close();
});

Deno.test("S3.6: calls of the last day are found by somebody who was away, each round once and in order", async () => {
  const phone = new Phone();
  const fixture = new ClientFixture({ dial: phone });
  fixture.echo();
  const joinedAt = fixture.entry.now();
  const now = Math.floor(joinedAt / 10_000) * 10_000;
  const shelf = new Map<number, Bytes>();
  for (const hours of [25, 23, 12, 1]) {
    shelf.set(now - hours * 3_600_000, TokenFilter.build([]).encode());
  }
  shelf.set(now - 7_200_000, TokenFilter.build([phone.listensFor]).encode());
  shelve(fixture, shelf);
  await fixture.join();
  await fixture.announce(await dialing(fixture));
  await fixture.clock.advance(1_000);
  assertEquals(
    phone.heardIn.map(({ start }) => (now - start) / 3_600_000),
    [23, 12, 2, 1],
  );
  assertEquals(phone.rings, 1);
  assertEquals(fixture.client.heardUpTo, joinedAt - 600_000);
  await fixture.client.close();
});

Deno.test("S3.6: whoever comes back after a day hears at once who calls now, and beside that who called before", async () => {
  const phone = new Phone();
  const fixture = new ClientFixture({
    dial: phone,
    reconnecting: { first: 100, longest: 100 },
  });
  fixture.entry.delay = 50;
  fixture.echo();
  const now = Math.floor(fixture.entry.now());
  const shelf = new Map<number, Bytes>();
  const empty = TokenFilter.build([]).encode();
  const past = Array.from({ length: 100 }, (_, i) => now - 7_200_000 + i);
  for (const start of past) shelf.set(start, empty);
  const ringing = TokenFilter.build([phone.listensFor]).encode();
  const recent = [now - 500_000, now - 20_000, now - 10_000];
  for (const start of recent) shelf.set(start, ringing);
  shelve(fixture, shelf);
  await fixture.join();
  await fixture.announce(await dialing(fixture, 12));
  await fixture.clock.advance(1_000);
  assertEquals(phone.rings, 3);
  const starts = () => phone.heardIn.map(({ start }) => start);
  assertEquals(starts().slice(0, 3), recent);
  assert(starts().length < 30, `${starts().length} in a second`);
  // Who starts anew, or has to connect again, misses nothing of it, and hears nothing twice.
  assert(fixture.client.heardUpTo! < past.at(-1)!);
  fixture.entry.link.hangUp();
  await fixture.clock.advance(2_000);
  await fixture.announce(await dialing(fixture, 12));
  shelf.set(now - 1, ringing);
  await fixture.clock.advance(1_000);
  assertEquals(phone.rings, 4);
  await fixture.clock.advance(20_000);
  assertEquals(starts().toSorted(), [...past, ...recent, now - 1]);
  assertEquals(fixture.client.heardUpTo, now - 1);
  await fixture.client.close();
});

Deno.test("S3.6: what was heard is not fetched again, after a broken connection or by the next client", async () => {
  const phone = new Phone();
  const heardUpTo = 1_800_000_000_000 - 5_000_000;
  const fixture = new ClientFixture({
    dial: phone,
    heardUpTo,
    reconnecting: { first: 100, longest: 100 },
  });
  fixture.echo();
  const empty = TokenFilter.build([]).encode();
  shelve(
    fixture,
    new Map([[heardUpTo, empty], [heardUpTo + 1, empty], [
      heardUpTo + 2,
      empty,
    ]]),
  );
  await fixture.join();
  await fixture.announce(await dialing(fixture));
  await fixture.clock.advance(100);
  fixture.entry.link.hangUp();
  await fixture.clock.advance(200);
  await fixture.announce(await dialing(fixture));
  await fixture.clock.advance(100);
  assertEquals(phone.heardIn.map(({ start }) => start - heardUpTo), [1, 2]);
  await fixture.client.close();
});

for (
  const [name, filter] of [
    ["that is none", new Uint8Array(3)],
    ["in which everything is", new Uint8Array(1_024).fill(255)],
  ] as const
) {
  Deno.test(`S3.6: a filter ${name} rings nobody, ends the connection and is not asked for again`, async () => {
    const phone = new Phone();
    const fixture = new ClientFixture({
      dial: phone,
      reconnecting: { first: 100, longest: 100 },
    });
    fixture.echo();
    const now = Math.floor(fixture.entry.now());
    shelve(
      fixture,
      new Map([[now - 10, filter], [now - 5, TokenFilter.build([]).encode()]]),
    );
    await fixture.join();
    await fixture.announce(await dialing(fixture));
    await fixture.clock.advance(200);
    assertEquals(fixture.entry.links.length, 2);
    assertEquals(phone.heardIn, []);
    await fixture.announce(await dialing(fixture));
    await fixture.clock.advance(200);
    assertEquals(phone.heardIn.map(({ start }) => start), [now - 5]);
    assertEquals(phone.rings, 0);
    await fixture.client.close();
  });
}

Deno.test("S3.6: an entry that gives the filter of an earlier round is left", async () => {
  const fixture = new ClientFixture({ dial: new Phone() });
  fixture.echo();
  const { onMessage } = fixture.entry;
  fixture.entry.onMessage = (message, link) => {
    if (message.verb !== commands.FETCH_FILTER) return onMessage(message, link);
    link.say(
      new CommandWriter().set(commands.ROUND_START, 5n)
        .set(commands.FILTER, TokenFilter.build([]).encode())
        .verb(commands.FETCHED_FILTER).done(),
    );
  };
  await fixture.join();
  await fixture.announce(await dialing(fixture)).catch(() => {});
  await fixture.clock.advance(100);
  assertEquals(fixture.of("gone").length, 1);
  await fixture.client.close();
});

Deno.test("S3.6: a round without the own bucket is passed over, and a source that fails goes on", async () => {
  const phone = new Phone();
  phone.heard = () => Promise.reject(new Error("broken"));
  const fixture = new ClientFixture({ dial: phone });
  fixture.echo();
  const now = Math.floor(fixture.entry.now());
  const shelf = new Map<number, Bytes>([
    [now - 9, TokenFilter.build([]).encode()],
    [now - 8, TokenFilter.build([]).encode()],
  ]);
  shelf.set(now - 10, undefined as unknown as Bytes);
  shelve(fixture, shelf);
  await fixture.join();
  await fixture.announce(await dialing(fixture));
  await fixture.clock.advance(200);
  assertEquals(fixture.of("fault").length, 2);
  assertEquals(fixture.client.heardUpTo, now - 8);
  assertEquals(fixture.client.status.joined, true);
  await fixture.client.close();
});

Deno.test("S3.6: who listens for nobody fetches nothing of the past", async () => {
  const fixture = new ClientFixture();
  fixture.echo();
  const now = Math.floor(fixture.entry.now());
  const asked = shelve(
    fixture,
    new Map([[now - 10, TokenFilter.build([]).encode()]]),
  );
  await fixture.join();
  await fixture.announce(await dialing(fixture));
  await fixture.clock.advance(50_000);
  assertEquals(asked.length, 4);
  assert(new Set(asked).size === 1);
  await fixture.client.close();
});
