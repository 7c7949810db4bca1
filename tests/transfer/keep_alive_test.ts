import { assertEquals } from "@std/assert";
import { mock } from "node:test";
import type { CommandChannel } from "../../lib/protocol/mod.ts";
import { KeepAlive } from "../../lib/transfer/keep_alive.ts";

Deno.test("keep alive: HELO every half minute whatever flows, and an end after five minutes of silence that is waited in", () => {
  mock.timers.enable({ apis: ["setInterval", "Date"] });
  const now = performance.now;
  let time = 0;
  performance.now = () => time;
  try {
    let said = 0;
    let aborted = false;
    const link = {
      send: () => {
        said++;
        return Promise.resolve();
      },
      abort: () => aborted = true,
    } as unknown as CommandChannel;
    using alive = new KeepAlive(link);
    for (let i = 0; i < 10; i++) {
      time += 30_000;
      mock.timers.tick(30_000);
    }
    assertEquals([said, aborted], [10, false]);
    // Nobody has waited for the server so far.
    alive.wait(new Promise(() => {})).catch(() => {});
    for (const end of [false, true]) {
      time += end ? 60_000 : 270_000;
      mock.timers.tick(30_000);
      assertEquals(aborted, end);
    }
  } finally {
    performance.now = now;
    mock.timers.reset();
  }
});
