import { assertEquals, assertRejects } from "@std/assert";
import { mock } from "node:test";
import { AccountError } from "../../lib/account/mod.ts";
import { CommandWriter } from "../../lib/protocol/mod.ts";
import type { CommandChannel } from "../../lib/protocol/mod.ts";
import { MAX_PACKET } from "../../lib/account/mod.ts";
import { ask } from "../../lib/transfer/client_link.ts";
import {
  BLOB,
  CLAIM,
  DOWNLOAD,
  READ_CAPABILITY,
} from "../../lib/transfer/commands.ts";
import { KeepAlive } from "../../lib/transfer/keep_alive.ts";
import { fileServer, reserve, testBlob } from "./file_server.ts";

Deno.test("keep alive: HELO every half minute whatever flows, and an end after a minute of silence", () => {
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
      alive.seen();
      mock.timers.tick(30_000);
    }
    assertEquals([said, aborted], [10, false]);
    for (let i = 0; i < 3; i++) {
      time += 30_000;
      mock.timers.tick(30_000);
    }
    assertEquals(aborted, true);
  } finally {
    performance.now = now;
    mock.timers.reset();
  }
});

Deno.test("files: a MAX-PACKET that cannot be is refused, and nothing is claimed by it", async () => {
  await using server = await fileServer();
  const blob = await testBlob(10);
  await reserve(server, blob);
  for (const bytes of [0, 511, 65_537]) {
    const link = await server.link();
    const error = await assertRejects(
      () =>
        ask(
          link,
          new CommandWriter()
            .set(READ_CAPABILITY, blob.keys.readCapability)
            .set(CLAIM, new Uint8Array(32).fill(bytes & 0xff))
            .set(MAX_PACKET, bytes).verb(DOWNLOAD).done(),
          BLOB,
          "fetch",
        ),
      AccountError,
    );
    assertEquals(error.reason, "malformed");
    await link.close();
  }
  assertEquals(server.failures, []);
  assertEquals(
    await server.store.blobs.claim(blob.id, new Uint8Array(32)),
    true,
  );
});
