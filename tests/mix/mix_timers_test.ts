import { assert, assertEquals, assertRejects } from "@std/assert";
import { MixError } from "../../lib/mix/mix_error.ts";
import {
  steadyClock,
  SYSTEM_TIMERS,
  within,
} from "../../lib/mix/mix_timers.ts";
import { VirtualTime } from "./virtual_time.ts";

Deno.test("within: the answer, the error, the deadline and the signal, and no timer is left", async () => {
  using time = new VirtualTime();
  const never = new Promise<never>(() => {});
  const control = new AbortController();
  const { signal } = control;
  assertEquals(
    await within(time, 10, signal, Promise.resolve(7), "wait"),
    7,
  );
  await assertRejects(
    () => within(time, 10, signal, Promise.reject(new TypeError("x")), "wait"),
    TypeError,
  );
  const late = assertRejects(
    () => within(time, 10, signal, never, "wait"),
    MixError,
    "Cannot wait: no answer",
  );
  await time.advance(10);
  assertEquals((await late).code, "ERR_MIX_LATE");
  const given = assertRejects(
    () => within(time, 10, signal, never, "wait"),
    MixError,
  );
  control.abort();
  assertEquals((await given).code, "ERR_MIX_GONE");
  await assertRejects(() => within(time, 10, signal, never, "wait"), MixError);
  assertEquals(time.waiting, 0);
});

Deno.test("S3.5: the system's time is in whole milliseconds, near that of the computer, and does not go back", async () => {
  const before = SYSTEM_TIMERS.now();
  assert(Number.isInteger(before));
  assert(Math.abs(before - Date.now()) < 60_000);
  SYSTEM_TIMERS.after(1, () => assert(false, "cancelled"))();
  await new Promise<void>((resolve) => {
    SYSTEM_TIMERS.after(2, resolve);
  });
  assert(SYSTEM_TIMERS.now() > before);
});

Deno.test("S3.5: a clock that is set back does not give a time twice; one that is set forward is followed", () => {
  let [wall, steady] = [1_000_000, 5_000.25];
  const now = steadyClock(() => wall, () => steady);
  const pass = (milliseconds: number, set = 0) => {
    wall += milliseconds + set;
    steady += milliseconds;
  };
  assertEquals(now(), 1_000_000);
  pass(500);
  assertEquals(now(), 1_000_500);
  pass(500, -3_600_000);
  assertEquals(now(), 1_001_000);
  pass(10);
  assertEquals(now(), 1_001_010);
  pass(0, 3_600_000 + 1_000);
  assertEquals(now(), 1_001_010);
  pass(0, 1);
  assertEquals(now(), 1_002_011);
  pass(1, 86_400_000);
  assertEquals(now(), 1_002_012 + 86_400_000);
});
