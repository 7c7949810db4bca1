import { assert, assertEquals } from "@std/assert";
import * as commands from "../../../lib/mix/commands.ts";
import { RoundKind, RunMode } from "../../../lib/mix/round.ts";
import { sizesOf } from "../../../lib/mix/sizes.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  BusySource,
  ClientFixture,
  COORDINATOR,
  echoOf,
  payloadsOf,
  roundOf,
  signed,
} from "./client_fixture.ts";

const { EXCHANGE } = RoundKind;
const { CIRCUITS } = RunMode;
const COUNT = 6;

/** An entry of circuits: the first round's replies are made by `setUp`. */
function serve(
  fixture: ClientFixture,
  first: number,
  setUp: () => Bytes | undefined,
): void {
  fixture.entry.onMessage = (message, link) => {
    fixture.entry.courtesy(message, link);
    if (message.verb !== commands.SUBMIT_ONIONS) return;
    const round = roundOf(message);
    if (round.start !== first) {
      return fixture.entry.done(round, echoOf(message, 3, 64));
    }
    const replies = setUp();
    if (replies === undefined) fixture.entry.failed(round);
    else fixture.entry.done(round, replies);
  };
}

async function fixtureOf(setUp: () => Bytes | undefined) {
  const source = new BusySource();
  const fixture = new ClientFixture({ exchange: source });
  await fixture.join();
  const first = fixture.soon();
  serve(fixture, first, setUp);
  await fixture.announce(await signed({ first, count: COUNT, mode: CIRCUITS }));
  await fixture.clock.advance(30_000);
  const handed = fixture.entry.submissions(EXCHANGE);
  assertEquals(
    handed.map(({ message }) => message.need(commands.ONIONS).length),
    Array.from(
      { length: COUNT },
      (_, index) => 3 * sizesOf(EXCHANGE, CIRCUITS, index, 1).onion,
    ),
  );
  assertEquals(fixture.client.status.missing, 0);
  await fixture.client.close();
  return { source, fixture, handed, first };
}

Deno.test("S3.5: in a run of circuits the first round sets up and carries nothing, the others do", async () => {
  const { source, fixture, first } = await fixtureOf(() =>
    new Uint8Array(3 * 32)
  );
  assertEquals(
    source.asked.map(({ start }) => start),
    [1, 2, 3, 4, 5].map((index) => first + index * 2_000),
  );
  assertEquals(source.fates, new Array(10).fill("answered"));
  assertEquals(fixture.client.status.exchange.done, COUNT);
  assertEquals(fixture.of("chain")[0]!.chain.mode, CIRCUITS);
});

Deno.test("S3.5: a slot whose circuit was not set up carries nothing, and looks the same", async () => {
  const { source, handed } = await fixtureOf(() => {
    const replies = new Uint8Array(3 * 32);
    replies[32] = 1;
    return replies;
  });
  assertEquals(source.fates, new Array(10).fill("answered"));
  const known = new Set(source.payloads.map((each) => each.toHex()));
  for (const { message } of handed.slice(1)) {
    const isReal = payloadsOf(message, 3, 64).map((each) =>
      known.has(each.toHex())
    );
    assertEquals(isReal, [true, false, true]);
  }
});

Deno.test("S3.5: if the set-up fails, what is handed in has the right length and carries nothing", async () => {
  const { source, handed, fixture } = await fixtureOf(() => undefined);
  assertEquals(source.asked, []);
  assertEquals(fixture.client.status.exchange.failed, 1);
  const all = handed.slice(1).map(({ message }) =>
    message.need(commands.ONIONS).toHex()
  );
  assertEquals(new Set(all).size, COUNT - 1);
});

Deno.test("S3.5: circuits outlive a connection; who joins in the middle of a run has none", async () => {
  const source = new BusySource();
  const fixture = new ClientFixture({
    exchange: source,
    reconnecting: { first: 100, longest: 100 },
  });
  await fixture.join();
  const first = fixture.soon();
  serve(fixture, first, () => new Uint8Array(3 * 32));
  const document = await signed({ first, count: COUNT, mode: CIRCUITS });
  await fixture.announce(document);
  await fixture.clock.advance(first + 3_000 - fixture.entry.now());
  fixture.entry.link.hangUp();
  await fixture.clock.advance(200);
  await fixture.announce(document);
  await fixture.clock.advance(20_000);
  assertEquals(source.fates.filter((fate) => fate === "answered").length, 10);
  await fixture.client.close();

  const late = new BusySource();
  const other = new ClientFixture({ exchange: late });
  serve(other, 0, () => undefined);
  await other.join();
  const begun = other.soon() - 4_000;
  await other.announce(
    await signed({ first: begun, count: COUNT, mode: CIRCUITS }),
  );
  await other.clock.advance(20_000);
  assert(other.entry.submissions(EXCHANGE).length > 2);
  assertEquals(late.asked, []);
  await other.client.close();
});

Deno.test("S3.5: who does not want circuits takes no part in them", async () => {
  const strict = new ClientFixture({
    policy: { coordinator: COORDINATOR, leastMixes: 2, circuits: false },
  });
  await strict.join();
  await strict.announce(
    await signed({ first: strict.soon(), count: COUNT, mode: CIRCUITS }),
  );
  assert(strict.refusals[0]?.includes("circuits"));
  await strict.client.close();
});
