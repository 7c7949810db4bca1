import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccountError } from "../../lib/account/mod.ts";
import { ChannelError, randomBytes } from "../../lib/protocol/mod.ts";
import {
  download,
  newSecret,
  PIECE_PLAINTEXT,
  upload,
} from "../../lib/transfer/mod.ts";
import type { Pacing } from "../../lib/transfer/mod.ts";
import {
  fileServer,
  MemorySink,
  noise,
  reserve,
  sourceOf,
  spoolEmptied,
  testBlob,
} from "./file_server.ts";

/** Lengths around every border. */
const LENGTHS = [
  0,
  1,
  16_383,
  16_384,
  16_385,
  PIECE_PLAINTEXT - 1,
  PIECE_PLAINTEXT,
  PIECE_PLAINTEXT + 1,
  10 * PIECE_PLAINTEXT + 12_345,
];

for (const maxPacket of [65_536, 512]) {
  Deno.test(`S0.9: a file of any length goes through the server and arrives whole (MAX-PACKET ${maxPacket})`, async () => {
    await using server = await fileServer({ maxPacket });
    const lengths = maxPacket === 512 ? [1, PIECE_PLAINTEXT + 1] : LENGTHS;
    for (const length of lengths) {
      const bytes = noise(length);
      const blob = await testBlob(length);
      await reserve(server, blob);
      const up = await server.link();
      const sent = await upload(up, blob, sourceOf(bytes));
      await up.close();
      const sink = new MemorySink(length);
      const down = await server.link();
      const claim = newSecret();
      const got = await download(
        down,
        { keys: blob.keys, claim, from: 0 },
        sink,
      );
      await down.close();
      assertEquals(sink.bytes, bytes);
      assertEquals(sink.synced, length);
      assertEquals(got, sent);
    }
    assertEquals(server.failures, []);
  });
}

Deno.test("S0.9: whoever fetches while it is sent gets it as it comes", async () => {
  await using server = await fileServer();
  const bytes = noise(20 * PIECE_PLAINTEXT + 7);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob);
  const down = await server.link();
  const sink = new MemorySink(bytes.length);
  const fetching = download(
    down,
    { keys: blob.keys, claim: newSecret(), from: 0 },
    sink,
  );
  const up = await server.link();
  const [got, sent] = await Promise.all([
    fetching,
    upload(up, blob, sourceOf(bytes)),
  ]);
  assertEquals(sink.bytes, bytes);
  assertEquals(got, sent);
  await up.close();
  await down.close();
  assertEquals(server.failures, []);
});

Deno.test("S0.9: an upload that was cut goes on where it was, and nothing that had its OK is sent again", async () => {
  await using server = await fileServer();
  const bytes = noise(40 * PIECE_PLAINTEXT);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob);
  const first = await server.link();
  let stored = 0;
  await assertRejects(() =>
    upload(first, blob, sourceOf(bytes), {
      onStored: (count) => {
        stored = count;
        if (count > blob.cutting.size / 3) first.abort();
      },
    })
  );
  const second = await server.link();
  let had: number | undefined;
  let read = 0;
  const source = sourceOf(bytes);
  await upload(second, blob, {
    length: source.length,
    read(offset, length) {
      read += length;
      return source.read(offset, length);
    },
  }, { onStored: (count) => had ??= count });
  await second.close();
  // What was acknowledged is there.
  assertEquals(had! >= stored, true);
  assertEquals(read <= bytes.length - stored + PIECE_PLAINTEXT, true);
  const down = await server.link();
  const sink = new MemorySink(bytes.length);
  await download(down, { keys: blob.keys, claim: newSecret(), from: 0 }, sink);
  await down.close();
  assertEquals(sink.bytes, bytes);
});

Deno.test("S0.9: what was fetched is forgotten before its recipient is told: a server that is killed then keeps nothing for nobody", async () => {
  await using server = await fileServer();
  const bytes = noise(PIECE_PLAINTEXT);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob);
  const up = await server.link();
  await upload(up, blob, sourceOf(bytes));
  await up.close();
  const { blobs } = server.store;
  const forget = blobs.fetched.bind(blobs);
  let forgotten = false;
  blobs.fetched = async (...args) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const isOver = await forget(...args);
    forgotten = true;
    return isOver;
  };
  const down = await server.link();
  const sink = new MemorySink(bytes.length);
  await download(down, { keys: blob.keys, claim: newSecret(), from: 0 }, sink);
  assert(forgotten);
  await down.close();
  await spoolEmptied(server);
});

Deno.test("S0.9: a download goes on from where it was written to", async () => {
  await using server = await fileServer();
  const bytes = noise(60 * PIECE_PLAINTEXT + 99);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob);
  const up = await server.link();
  await upload(up, blob, sourceOf(bytes));
  await up.close();
  const claim = newSecret();
  const sink = new MemorySink(bytes.length);
  const first = await server.link();
  await assertRejects(() =>
    download(first, { keys: blob.keys, claim, from: 0 }, sink, {
      onWritten: (count) => {
        if (count >= 5 * PIECE_PLAINTEXT) first.abort();
      },
    })
  );
  assertEquals(sink.synced, sink.written);
  const from = sink.written;
  assertEquals(from >= 5 * PIECE_PLAINTEXT && from < bytes.length, true);
  const second = await server.link();
  await download(second, { keys: blob.keys, claim, from }, sink);
  await second.close();
  assertEquals(sink.bytes, bytes);
});

Deno.test("files: as many fetch a blob as may; then it is gone", async () => {
  await using server = await fileServer();
  const bytes = noise(1_000);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob, { downloads: 2, lifetime: 3_600 });
  const up = await server.link();
  await upload(up, blob, sourceOf(bytes));
  await up.close();
  const claims = [newSecret(), newSecret()];
  for (const claim of claims) {
    const link = await server.link();
    const sink = new MemorySink(bytes.length);
    if (claim === claims[1]) {
      const third = await server.link();
      // The second has begun before.
      const begun = download(
        link,
        { keys: blob.keys, claim, from: 0 },
        sink,
      );
      await begun;
      const error = await assertRejects(
        () =>
          download(third, {
            keys: blob.keys,
            claim: newSecret(),
            from: 0,
          }, new MemorySink(0)),
        AccountError,
      );
      assertEquals(["blob-taken", "unknown-blob"].includes(error.reason), true);
      await third.close();
    } else {
      await download(link, { keys: blob.keys, claim, from: 0 }, sink);
    }
    await link.close();
    assertEquals(sink.bytes, bytes);
  }
  assertEquals(await server.store.blobs.byId(blob.id), undefined);
  await spoolEmptied(server);
});

Deno.test("files: without the capability nothing is written or read, and guessing is slowed down", async () => {
  await using server = await fileServer();
  const blob = await testBlob(100);
  await reserve(server, blob);
  for (let i = 0; i < 21; i++) {
    const link = await server.link();
    const error = await assertRejects(
      () =>
        upload(
          link,
          { ...blob, writeCapability: randomBytes(32) },
          sourceOf(new Uint8Array(100)),
        ),
      AccountError,
    );
    assertEquals(error.reason, "unknown-blob");
    await link.close();
  }
  const link = await server.link();
  const error = await assertRejects(
    () => upload(link, blob, sourceOf(new Uint8Array(100))),
    AccountError,
  );
  assertEquals(error.reason, "throttled");
  await link.close();
});

Deno.test("files: whoever waits for the pace is told at once that the connection is gone", async () => {
  await using server = await fileServer();
  const bytes = noise(3 * PIECE_PLAINTEXT);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob);
  const never: Pacing = {
    take: (_, signal) =>
      new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  const up = await server.link();
  setTimeout(() => up.abort(), 50);
  await assertRejects(
    () => upload(up, blob, sourceOf(bytes), { pace: never }),
    ChannelError,
  );
  const whole = await server.link();
  await upload(whole, blob, sourceOf(bytes));
  await whole.close();
  const down = await server.link();
  // Who sleeps does not listen, and has to be told.
  const stop = new AbortController();
  const reason = new Error("enough");
  const error = await assertRejects(() =>
    download(
      down,
      { keys: blob.keys, claim: newSecret(), from: 0 },
      new MemorySink(bytes.length),
      {
        pace: never,
        signal: stop.signal,
        onWritten: (written) => {
          if (written > 0) stop.abort(reason);
        },
      },
    )
  );
  assertEquals(error, reason);
});
