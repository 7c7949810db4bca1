import { assert, assertEquals } from "@std/assert";
import { AccountError } from "../../lib/account/mod.ts";
import { LoginThrottles } from "../../lib/account/login_throttles.ts";

const SECOND = 1_000;

/** Seconds to wait; 0: the attempt is looked at. */
function waitOf(
  throttles: LoginThrottles,
  address: string,
  group: string,
  now: number,
): number {
  try {
    throttles.check(address, group, now);
    return 0;
  } catch (error) {
    assert(error instanceof AccountError);
    assertEquals(error.reason, "throttled");
    return error.retryIn;
  }
}

/** Fails as often as it is let at one moment; how often that was. */
function guess(
  throttles: LoginThrottles,
  address: string,
  group: string,
  now: number,
): number {
  let guesses = 0;
  while (waitOf(throttles, address, group, now) === 0) {
    throttles.failed(address, group, now);
    guesses++;
  }
  return guesses;
}

Deno.test("login throttles: six guesses at one account from one group, then a wait", () => {
  const throttles = new LoginThrottles();
  assertEquals(guess(throttles, "a@z", "g", 0), 6);
  assertEquals(waitOf(throttles, "a@z", "g", 0), 2);
  assertEquals(waitOf(throttles, "a@z", "g", 2 * SECOND), 0);
});

Deno.test("login throttles: twenty-one guesses from one group at any accounts", () => {
  const throttles = new LoginThrottles();
  let guesses = 0;
  for (let i = 0; i < 50; i++) guesses += guess(throttles, `${i}@z`, "g", 0);
  assertEquals(guesses, 21);
  assertEquals(waitOf(throttles, "fresh@z", "g", 0), 2);
});

Deno.test("login throttles: from another group everything is as before", () => {
  const throttles = new LoginThrottles();
  guess(throttles, "a@z", "bad", 0);
  assertEquals(waitOf(throttles, "a@z", "good", 0), 0);
});

Deno.test("login throttles: guesses from everywhere slow an account by 30 seconds at most", () => {
  const throttles = new LoginThrottles();
  for (let i = 0; i < 1_000; i++) throttles.failed("a@z", `group ${i}`, 0);
  assertEquals(waitOf(throttles, "a@z", "fresh", 0), 30);
  assertEquals(waitOf(throttles, "a@z", "fresh", 30 * SECOND), 0);
});

Deno.test("login throttles: who guesses all the time from everywhere does not keep the owner out at home", () => {
  const throttles = new LoginThrottles();
  throttles.succeeded("a@z", "home");
  for (let second = 0; second < 10_000; second++) {
    throttles.failed("a@z", `group ${second}`, second * SECOND);
  }
  assertEquals(waitOf(throttles, "a@z", "home", 10_000 * SECOND), 0);
  // But guessing at home is guessing.
  assertEquals(guess(throttles, "a@z", "home", 10_000 * SECOND), 6);
});

Deno.test("login throttles: a success forgives the pair, not the group", () => {
  const throttles = new LoginThrottles();
  assertEquals(guess(throttles, "a@z", "g", 0), 6);
  throttles.succeeded("a@z", "g");
  assertEquals(waitOf(throttles, "a@z", "g", 0), 0);
  let guesses = 6;
  for (let i = 0; i < 50; i++) guesses += guess(throttles, `${i}@z`, "g", 0);
  assertEquals(guesses, 21);
});
