import { assertEquals } from "@std/assert";
import {
  CALL_LIMIT,
  OutgoingCall,
} from "../../../lib/mix/line/outgoing_call.ts";
import { RingingCalls } from "../../../lib/mix/line/ringing_calls.ts";
import { testKeyring } from "../../support/keyrings.ts";

Deno.test("outgoing call: dialed at once, after a minute, at once when a round did not take it", () => {
  const call = new OutgoingCall(0);
  assertEquals([call.isDue(0), call.hasLeft], [true, false]);
  call.give(0);
  assertEquals([call.isDue(59_999), call.isDue(60_000)], [false, true]);
  assertEquals(call.hasLeft, true);
  call.failed();
  assertEquals([call.isDue(1), call.hasLeft], [true, false]);
  call.give(10_000);
  call.dialed(10_000);
  assertEquals([call.dialedAt, call.hasLeft], [10_000, true]);
  call.give(70_000);
  call.failed();
  assertEquals(call.hasLeft, true);
  assertEquals([call.isOver(CALL_LIMIT - 1), call.isOver(CALL_LIMIT)], [
    false,
    true,
  ]);
});

Deno.test("ringing calls: one for a person, until it is too old or done with", async () => {
  const { certificate } = await testKeyring("alice@example.org");
  const { address } = certificate;
  const calls = new RingingCalls();
  assertEquals(calls.ring(certificate, 1_000), true);
  assertEquals(calls.ring(certificate, 61_000), false);
  assertEquals(calls.all, [{ address, dialedAt: 61_000 }]);
  assertEquals(calls.isSettled(address, 61_000), true);
  assertEquals(calls.isSettled(address, 61_001), false);
  assertEquals(calls.lapse(61_000 + CALL_LIMIT - 1), []);
  assertEquals(calls.lapse(61_000 + CALL_LIMIT), [{
    address,
    dialedAt: 61_000,
  }]);
  assertEquals(calls.all, []);
  // A call that was dialed again is missed once, a later one again.
  assertEquals(calls.miss(address, 121_000), false);
  assertEquals(calls.miss(address, 181_000), false);
  assertEquals(calls.miss(address, 1_000_000), true);
  calls.ring(certificate, 2_000_000);
  calls.settle(address, 1_999_999);
  assertEquals(calls.all.length, 1);
  calls.settle(address, 2_000_000);
  assertEquals(calls.get(address), undefined);
});
