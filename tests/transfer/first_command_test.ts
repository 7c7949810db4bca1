import { assertEquals, assertRejects } from "@std/assert";
import { MAX_PACKET } from "../../lib/account/mod.ts";
import { ChannelError, CommandWriter } from "../../lib/protocol/mod.ts";
import { ask } from "../../lib/transfer/client_link.ts";
import {
  BLOB,
  CLAIM,
  DOWNLOAD,
  READ_CAPABILITY,
} from "../../lib/transfer/commands.ts";
import { fileServer, reserve, testBlob } from "./file_server.ts";

Deno.test("files: a MAX-PACKET that cannot be is refused, and nothing is claimed by it", async () => {
  await using server = await fileServer();
  const blob = await testBlob(10);
  await reserve(server, blob);
  for (const bytes of [0, 511, 65_537]) {
    const link = await server.link();
    await assertRejects(
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
      ChannelError,
    );
  }
  assertEquals(
    await server.store.blobs.claim(blob.id, new Uint8Array(32)),
    true,
  );
});
