import { assert } from "@std/assert";
import { Departure } from "../../../../cmd/client/private/departure.ts";
import { Peer } from "../../../../cmd/client/private/peer.ts";

/** Milliseconds of a round. */
const PERIOD = 20;
const LONG = 20_000;

function talking(state: "queued" | "delivered"): Peer {
  const peer = new Peer("bob@local", "bob");
  peer.stage = "talking";
  const own = {
    text: "hi",
    at: 0,
    id: "00",
    round: undefined,
    line: undefined,
  };
  peer.texts.push({ ...own, state });
  return peer;
}

/** Whether a promise is settled by now. */
async function isSettled(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  return settled;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

Deno.test("departure: a script goes when all is delivered and nothing new comes", async () => {
  const departure = new Departure(new AbortController().signal);
  const peer = talking("queued");
  const said = departure.allSaid(peer, () => PERIOD, LONG);
  await pause(15 * PERIOD);
  assert(!await isSettled(said), "something is not delivered");
  peer.texts[0]!.state = "delivered";
  departure.heard();
  assert(!await isSettled(said), "something has just come");
  await said;
});

Deno.test("departure: or when it is over, time is up, or the person has had enough", async () => {
  const abort = new AbortController();
  const departure = new Departure(abort.signal);
  const over = talking("queued");
  over.stage = "over";
  await departure.allSaid(over, () => PERIOD, LONG);
  await departure.allSaid(talking("queued"), () => PERIOD, 10);
  const ending = departure.end();
  const waiting = departure.allSaid(talking("queued"), () => PERIOD, LONG);
  assert(!await isSettled(ending));
  abort.abort();
  await Promise.all([ending, waiting]);
});

Deno.test("departure: whoever leaves stays until it is known", async () => {
  const departure = new Departure(new AbortController().signal);
  let isKnown = false;
  const known = departure.allKnow(() => isKnown);
  await pause(150);
  assert(!await isSettled(known), "somebody does not know it");
  isKnown = true;
  await known;
});
