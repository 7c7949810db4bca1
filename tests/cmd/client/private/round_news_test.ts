import { assertEquals, assertMatch } from "@std/assert";
import { clockText } from "../../../../cmd/client/private/clock_text.ts";
import { RoundNews } from "../../../../cmd/client/private/round_news.ts";
import { MixError, RoundKind, RunMode } from "../../../../lib/mix/mod.ts";
import type { ChainView, MixClientEvent } from "../../../../lib/mix/mod.ts";
import { ChannelError } from "../../../../lib/protocol/mod.ts";

const START = Date.UTC(2026, 0, 1);

function chain(...fingerprints: string[]): ChainView {
  return {
    kind: RoundKind.EXCHANGE,
    mode: RunMode.ROUNDS,
    period: 2_000,
    slots: 3,
    mixes: fingerprints.map((fingerprint) => ({
      fingerprint,
      noise: { mean: 20, scale: 5 },
    })),
  };
}

function told(...events: readonly MixClientEvent[]): string[] {
  const said: string[] = [];
  const news = new RoundNews((text) => said.push(text));
  for (const event of events) news.take(event);
  return said;
}

function round(
  outcome: "done" | "late" | "failed" | "unknown",
  kind: RoundKind = RoundKind.EXCHANGE,
): MixClientEvent {
  return {
    type: "round",
    round: { kind, start: START },
    outcome,
    real: 0,
    missing: 0,
    chain: chain("a".repeat(64), "b".repeat(64)),
    place: outcome === "failed" ? 1 : undefined,
  };
}

const CUT = new ChannelError("ERR_CHANNEL_CUT", "Cannot go on: it was cut");

Deno.test("round news: a chain is told of once, and whenever it is another", () => {
  const said = told(
    { type: "chain", chain: chain("a") },
    { type: "chain", chain: chain("a") },
    { type: "chain", chain: { ...chain("x"), kind: RoundKind.DIALING } },
    { type: "chain", chain: chain("a", "b") },
    { type: "chain", chain: { ...chain("a", "b"), mode: RunMode.CIRCUITS } },
  );
  assertEquals(said.length, 4);
  assertMatch(said[0]!, /^a round every 2 s, the server is the only mix/);
  assertMatch(said[1]!, /^the chain has changed: .*, 2 mixes:/);
  assertMatch(said[3]!, /^the server chose circuits/);
});

Deno.test("round news: rounds that are lost are told of once, and when they succeed again", () => {
  const at = clockText(START);
  assertEquals(
    told(round("late"), round("late"), round("done"), round("done")),
    [
      `missed the round of ${at}: its window was over; what was said goes again`,
      "rounds succeed again, through 2 mixes; 2 were lost",
    ],
  );
  assertEquals(
    told(round("failed"), round("done"), round("failed")),
    [
      `the round of ${at} failed at mix 2 of the chain, xo53xo53; what was said goes again`,
      "rounds succeed again, through 2 mixes; one was lost",
      `the round of ${at} failed at mix 2 of the chain, xo53xo53; what was said goes again`,
    ],
  );
  assertEquals(told(round("late", RoundKind.DIALING), round("done")), []);
});

Deno.test("round news: a connection that breaks is told of once", () => {
  const gone: MixClientEvent = { type: "gone", error: CUT, retryIn: 100 };
  const said = told({ type: "joined" }, gone, gone, { type: "joined" }, gone);
  assertEquals(said, [
    "offline: the connection to the server was lost; trying again",
    "back online",
    "offline: the connection to the server was lost; trying again",
  ]);
  const never = told(gone, gone);
  assertEquals(never.length, 1);
  assertMatch(never[0]!, /^cannot go on: it was cut; .*--no-mix/);
});

Deno.test("round news: clocks that are off, slow ways and what was done about it", () => {
  const clock = (ahead: number, roundTrip: number): MixClientEvent => ({
    type: "clock",
    clock: { ahead, roundTrip },
  });
  assertEquals(
    told(clock(1_999, 600), clock(-1_999, 1)),
    [],
  );
  assertEquals(
    told(clock(34_000, 10), clock(34_500, 10), clock(-5_000, 10)),
    [
      "this machine's clock is 34s behind the server's; rounds go by the server's",
      "this machine's clock is 5s ahead of the server's; rounds go by the server's",
    ],
  );
  assertEquals(told(clock(0, 700), clock(0, 1_300), clock(0, 1_500)).length, 2);
  const steps = [250, 200, 499, 500, 100, 0, 20]
    .map((earlier): MixClientEvent => ({ type: "adapted", earlier }));
  assertEquals(told(...steps), [
    "messages came late; from now on they leave 250 ms earlier",
    "messages came late; from now on they leave 500 ms earlier",
    "messages are in time again",
    "messages came late; from now on they leave 20 ms earlier",
  ]);
});

Deno.test("round news: settings that are refused, once for each reason", () => {
  const refused = (text: string): MixClientEvent => ({
    type: "refused",
    error: new MixError("ERR_MIX_SETTINGS", text),
  });
  assertEquals(
    told(refused("Cannot use x"), refused("Cannot use x"), refused("Not y")),
    ["rounds are refused: cannot use x", "rounds are refused: not y"],
  );
});

Deno.test("round news: whether one is connected, and that no round comes though one is", () => {
  const said: string[] = [];
  const news = new RoundNews((text) => said.push(text));
  const look = (times: number, hasRound = false) => {
    for (let i = 0; i < times; i++) news.look(hasRound);
  };
  look(20);
  assertEquals([news.connection, said], ["never", []]);
  news.take({ type: "gone", error: CUT, retryIn: 100 });
  assertEquals(news.connection, "never");
  news.take({ type: "joined" });
  assertEquals(news.connection, "joined");
  said.length = 0;
  look(14);
  look(1, true);
  look(14);
  assertEquals(said, []);
  look(10);
  assertEquals(said.length, 1);
  assertMatch(said[0]!, /^the server announces no rounds/);
  news.take({ type: "gone", error: CUT, retryIn: 100 });
  assertEquals(news.connection, "lost");
});

Deno.test("round news: relays that nobody tells of, once for each reason", () => {
  const said: string[] = [];
  const news = new RoundNews((text) => said.push(text));
  for (const why of ["a", "a", "b"]) news.unknownRelays(new Error(why));
  assertEquals(said.length, 2);
  assertMatch(said[1]!, /^b; the chain has relays/);
});
