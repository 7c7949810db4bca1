import { assert, assertEquals } from "@std/assert";
import type { Exchange } from "../../../lib/mix/client/sources.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import { sizesOf } from "../../../lib/mix/sizes.ts";
import { ONIONS } from "../../../lib/mix/commands.ts";
import {
  BusySource,
  ClientFixture,
  payloadsOf,
  roundOf,
  signed,
} from "./client_fixture.ts";

const { EXCHANGE } = RoundKind;

Deno.test("S3.5: a client hands in exactly as many onions as there are slots, in every round, within its window", async () => {
  const fixture = new ClientFixture();
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first }));
  await fixture.clock.advance(40_000);
  const handed = fixture.entry.submissions(EXCHANGE);
  assertEquals(
    handed.map(({ message }) => roundOf(message).start),
    Array.from({ length: 15 }, (_, i) => first + i * 2_000),
  );
  const { onion } = sizesOf(EXCHANGE, RunMode.ROUNDS, 0, 1);
  for (const { at, message } of handed) {
    assertEquals(message.need(ONIONS).length, 3 * onion);
    const into = at - roundOf(message).start;
    assert(into >= 0 && into < 0.7 * 1_200, `${into} ms`);
  }
  assertEquals(fixture.client.status.exchange.done, 15);
  assertEquals(fixture.client.status.spent, 0);
  assertEquals(fixture.client.status.missing, 0);
  await fixture.client.close();
  assertEquals(fixture.clock.waiting, 0);
});

Deno.test("S3.5: what a source has comes back to it, in slots drawn at random", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  fixture.echo();
  await fixture.join();
  await fixture.announce(await signed({ first: fixture.soon(), count: 60 }));
  await fixture.clock.advance(130_000);
  assertEquals(source.fates, new Array(120).fill("answered"));
  assertEquals(fixture.client.status.spent, 60);
  const at = [0, 0, 0];
  const known = new Set(source.payloads.map((each) => each.toHex()));
  for (const { message } of fixture.entry.submissions(EXCHANGE)) {
    payloadsOf(message).forEach((payload, slot) => {
      if (known.has(payload.toHex())) at[slot]!++;
    });
  }
  assertEquals(at.reduce((a, b) => a + b), 120);
  // 40 each; off by 5 sigma (5 * sqrt(60 * 2/9)) is nothing that chance does.
  for (const count of at) assert(Math.abs(count - 40) < 19, at.join());
  await fixture.client.close();
});

Deno.test("S3.5: rounds are asked for in order, shortly before they are handed in", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  const askedAt: number[] = [];
  source.pause = () => {
    askedAt.push(fixture.entry.now());
    return Promise.resolve();
  };
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first }));
  await fixture.clock.advance(40_000);
  assertEquals(
    source.asked.map(({ start }) => start),
    Array.from({ length: 15 }, (_, i) => first + i * 2_000),
  );
  fixture.entry.submissions(EXCHANGE).forEach(({ at }, i) => {
    const before = at - askedAt[i]!;
    assert(before > 0 && before < 400, `${before} ms`);
  });
  await fixture.client.close();
});

for (const off of [-86_400_000, 86_400_000, 0]) {
  Deno.test(`S3.5: a date that is ${off / 3_600_000} hours off does no harm, and is told`, async () => {
    const fixture = new ClientFixture();
    fixture.clock.date -= off;
    fixture.echo();
    await fixture.join();
    await fixture.announce(await signed({ first: fixture.soon() }));
    await fixture.clock.advance(40_000);
    assertEquals(fixture.client.status.exchange, {
      done: 15,
      late: 0,
      failed: 0,
      unknown: 0,
    });
    assertEquals(fixture.client.status.clock, { ahead: off, roundTrip: 0 });
    await fixture.client.close();
  });
}

Deno.test("S3.5: a long way is measured, and onions still come within the window", async () => {
  const fixture = new ClientFixture();
  fixture.entry.delay = 200;
  fixture.echo();
  await fixture.join();
  await fixture.announce(await signed({ first: fixture.soon() }));
  await fixture.clock.advance(40_000);
  assertEquals(fixture.client.status.clock?.roundTrip, 400);
  const handed = fixture.entry.submissions(EXCHANGE);
  assertEquals(handed.length, 15);
  for (const { at, message } of handed) {
    const into = at - roundOf(message).start;
    assert(into >= 0 && into < 1_200 * 0.7, `${into} ms`);
  }
  await fixture.client.close();
});

Deno.test("S3.5: a source that is too slow loses its turn, and cover goes at the time that was drawn", async () => {
  const [slow, none] = [new BusySource(), new BusySource()];
  none.takes = 0;
  const times: number[][] = [];
  for (const source of [slow, none]) {
    const fixture = new ClientFixture({ exchange: source });
    if (source === slow) {
      source.pause = () =>
        new Promise((resolve) => fixture.clock.after(500, resolve));
    }
    fixture.echo();
    await fixture.join();
    await fixture.announce(await signed({ first: fixture.soon() }));
    await fixture.clock.advance(40_000);
    assertEquals(fixture.client.status.exchange.done, 15);
    assertEquals(fixture.client.status.spent, 0);
    times.push(
      fixture.entry.submissions(EXCHANGE).map(({ message, at }) =>
        at - roundOf(message).start
      ),
    );
    await fixture.client.close();
  }
  assertEquals(slow.fates, new Array(30).fill("late"));
  assertEquals(times[0], times[1]);
});

Deno.test("S3.5: a source that fails, or gives what does not fit, is told, and cover goes", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({
    exchange: {
      outgoing: ({ start }) =>
        (start / 2_000) % 2 === 0
          ? Promise.reject(new Error("broken"))
          : Promise.resolve([
            source.one(511),
            ...Array.from({ length: 4 }, () => source.one()),
          ]),
    },
  });
  fixture.echo();
  await fixture.join();
  await fixture.announce(await signed({ first: fixture.soon(), count: 2 }));
  await fixture.clock.advance(10_000);
  assertEquals(fixture.client.status.exchange.done, 2);
  assertEquals(fixture.of("fault").length, 1);
  assertEquals(source.fates.toSorted(), [
    "answered",
    "answered",
    "answered",
    "late",
    "late",
  ]);
  await fixture.client.close();
});

Deno.test("S3.5: a source that throws when it is told what came of something harms no round, and that is told", async () => {
  for (const fate of ["done", "failed"] as const) {
    const source = new BusySource();
    const broken = (exchange: Exchange): Exchange => ({
      payload: exchange.payload,
      answered: () => assert(false, "answered"),
      lost: () => assert(false, "lost"),
    });
    const fixture = new ClientFixture({
      exchange: {
        outgoing: () => Promise.resolve([broken(source.one()), source.one()]),
      },
      dial: {
        certificateId: randomBytes(32),
        heard: () => Promise.resolve(),
        dial: () =>
          Promise.resolve({
            to: randomBytes(32),
            token: randomBytes(32),
            done: () => assert(false, "called"),
          }),
      },
    });
    fixture.echo((replies, round) => {
      if (fate === "done") return replies;
      fixture.entry.failed(round);
      return undefined;
    });
    await fixture.join();
    const first = fixture.soon();
    await fixture.announce(await signed({ first, count: 5 }));
    await fixture.announce(
      await signed({ first, count: 5, kind: RoundKind.DIALING, slots: 1 }),
    );
    await fixture.clock.advance(20_000);
    assertEquals(fixture.client.status.exchange[fate], 5);
    assertEquals(fixture.client.status.dialing[fate], 5);
    assertEquals(fixture.of("fault").length, 10);
    assertEquals(fixture.of("gone"), []);
    const told = fate === "done" ? "answered" as const : fate;
    assertEquals(source.fates, new Array(5).fill(told));
    await fixture.client.close();
  }
});

Deno.test("S3.5: late rounds are lost as late, onions go earlier from then on, and it is said", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  let isLate = true;
  fixture.echo((replies, round) => {
    if (!isLate) return replies;
    fixture.entry.late(round, 400);
    return undefined;
  });
  await fixture.join();
  await fixture.announce(await signed({ first: fixture.soon(), count: 100 }));
  await fixture.clock.advance(6_500);
  isLate = false;
  const { late } = fixture.client.status.exchange;
  assert(late >= 2, `${late} late`);
  assertEquals(source.fates.slice(0, 2), ["late", "late"]);
  const earlier = fixture.of("adapted").map((each) => each.earlier);
  assertEquals(earlier.slice(0, 2), [450, 900]);
  const before = fixture.entry.submissions(EXCHANGE).length;
  await fixture.clock.advance(20_000);
  for (
    const { at, message } of fixture.entry.submissions(EXCHANGE).slice(
      before + 1,
    )
  ) {
    // Nothing is left of the 840 ms.
    assertEquals(at, roundOf(message).start);
  }
  // In time again for long enough: little by little it goes back.
  await fixture.clock.advance(170_000);
  const later = fixture.of("adapted").map((each) => each.earlier);
  assert(later.at(-1)! < Math.max(...later), later.join());
  await fixture.client.close();
});

Deno.test("S3.5: a failed round is lost as failed, one that nobody answers as unknown", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  fixture.echo((_, round) => {
    if ((round.start / 2_000) % 2 === 0) fixture.entry.failed(round);
    return undefined;
  });
  await fixture.join();
  await fixture.announce(await signed({ first: fixture.soon(), count: 2 }));
  await fixture.clock.advance(30_000);
  assertEquals(source.fates.toSorted(), [
    "failed",
    "failed",
    "unknown",
    "unknown",
  ]);
  assertEquals(fixture.outcomes.toSorted(), ["failed", "unknown"]);
  await fixture.client.close();
});

Deno.test("S3.5: a connection that breaks loses what is under way as unknown, and is made again", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({
    exchange: source,
    reconnecting: { first: 1_000, longest: 1_000 },
  });
  fixture.echo(() => undefined);
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first }));
  await fixture.clock.advance(first + 1_000 - fixture.entry.now());
  assertEquals(fixture.entry.submissions(EXCHANGE).length, 1);
  fixture.entry.isAway = true;
  fixture.entry.link.hangUp();
  await fixture.clock.advance(0);
  assertEquals(source.fates, ["unknown", "unknown"]);
  assertEquals(fixture.client.status.joined, false);
  await fixture.clock.advance(5_000);
  fixture.entry.isAway = false;
  assert(fixture.of("gone").length > 3);
  fixture.echo();
  await fixture.clock.advance(2_000);
  assertEquals(fixture.client.status.joined, true);
  // The same run is announced again: its other rounds are taken part in, and none twice.
  const document = await signed({ first });
  await fixture.announce(document);
  await fixture.clock.advance(40_000);
  const starts = fixture.entry.submissions(EXCHANGE)
    .map(({ message }) => roundOf(message).start);
  assertEquals(new Set(starts).size, starts.length);
  assert(starts.length > 8, `${starts.length} rounds`);
  await fixture.client.close();
  assertEquals(fixture.clock.waiting, 0);
});

Deno.test("S3.5: covers that do not come back are counted: somebody drops what this client hands in", async () => {
  const fixture = new ClientFixture();
  fixture.echo((replies) => {
    const altered = replies.slice();
    altered[600]! ^= 1;
    return altered;
  });
  await fixture.join();
  await fixture.announce(await signed({ first: fixture.soon(), count: 5 }));
  await fixture.clock.advance(20_000);
  assertEquals(fixture.of("round").map(({ missing }) => missing), [
    1,
    1,
    1,
    1,
    1,
  ]);
  assertEquals(fixture.client.status.missing, 5);
  await fixture.client.close();
});

Deno.test("S3.5: a reply that was altered is lost as failed, the others are good", async () => {
  const source = new BusySource();
  source.takes = 3;
  const fixture = new ClientFixture({ exchange: source });
  fixture.echo((replies) => {
    const altered = replies.slice();
    altered[altered.length - 1]! ^= 1;
    return altered;
  });
  await fixture.join();
  await fixture.announce(await signed({ first: fixture.soon(), count: 1 }));
  await fixture.clock.advance(10_000);
  assertEquals(source.fates.toSorted(), ["answered", "answered", "failed"]);
  await fixture.client.close();
});

Deno.test("S3.5: people are told of the chain once, and again when it changes", async () => {
  const fixture = new ClientFixture();
  fixture.echo();
  await fixture.join();
  const first = fixture.soon();
  await fixture.announce(await signed({ first, count: 2 }));
  await fixture.announce(await signed({ first: first + 4_000, count: 2 }));
  await fixture.announce(
    await signed({ first: first + 8_000, count: 2, slots: 4 }),
  );
  const [before, after] = fixture.of("chain").map(({ chain }) => chain);
  assertEquals([before?.slots, after?.slots], [3, 4]);
  assertEquals(before?.mixes.map(({ noise }) => noise.mean), [20, 20]);
  await fixture.client.close();
});
