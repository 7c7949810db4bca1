import { assertEquals, assertRejects } from "@std/assert";
import { withDeadline } from "../../../lib/onion/exit/deadline.ts";

/** A signal, and how many listeners it has. */
function watched() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...all: Parameters<typeof add>) => {
    listeners++;
    add(...all);
  };
  signal.removeEventListener = (...all: Parameters<typeof remove>) => {
    listeners--;
    remove(...all);
  };
  return { controller, signal, listeners: () => listeners };
}

Deno.test("deadline: work that is done in time is handed on, and nothing of it stays", async () => {
  const { signal, listeners } = watched();
  assertEquals(await withDeadline(9_000, signal, () => Promise.resolve(7)), 7);
  await assertRejects(
    () => withDeadline(9_000, signal, () => Promise.reject(new Error("no"))),
    Error,
    "no",
  );
  assertEquals(listeners(), 0);
});

Deno.test("deadline: work that takes too long is told so, and what it still gives is handed over", async () => {
  const { controller, signal, listeners } = watched();
  const ends = ["timeout", "abort"] as const;
  for (const end of ends) {
    const late: number[] = [];
    const work = Promise.withResolvers<number>();
    let inner: AbortSignal | undefined;
    const working = withDeadline(
      end === "timeout" ? 10 : 9_000,
      signal,
      (given) => {
        inner = given;
        return work.promise;
      },
      (value) => late.push(value),
    );
    if (end === "abort") controller.abort(new Error("enough"));
    await assertRejects(
      () => working,
      Error,
      end === "timeout" ? "no answer within 10 ms" : "enough",
    );
    assertEquals(inner?.aborted, true);
    work.resolve(7);
    await work.promise;
    await Promise.resolve();
    assertEquals(late, [7]);
  }
  assertEquals(listeners(), 0);
  let begun = false;
  await assertRejects(
    () =>
      withDeadline(9_000, signal, () => {
        begun = true;
        return Promise.resolve();
      }),
    Error,
    "enough",
  );
  assertEquals(begun, false);
});
