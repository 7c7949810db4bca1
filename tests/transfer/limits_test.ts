import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccountError } from "../../lib/account/mod.ts";
import type { ServerSession } from "../../lib/account/mod.ts";
import { Decoder, randomBytes, sha256 } from "../../lib/protocol/mod.ts";
import type { Bytes, Message } from "../../lib/protocol/mod.ts";
import {
  cutting,
  download,
  newSecret,
  PIECE_PLAINTEXT,
  removeCommand,
  reserveCommand,
  TRANSFER_VOCABULARY,
  upload,
} from "../../lib/transfer/mod.ts";
import type { Reservation } from "../../lib/transfer/mod.ts";
import { PIECE_BYTES } from "../../lib/transfer/pieces.ts";
import { Spool } from "../../lib/transfer/spool.ts";
import {
  fileServer,
  MemorySink,
  noise,
  reserve,
  sourceOf,
  spoolEmptied,
  testBlob,
} from "./file_server.ts";
import type { FileServer, TestBlob } from "./file_server.ts";

const HOUR: Reservation = { downloads: 1, lifetime: 3_600 };

/** What somebody with an account asks for. */
async function asAccount(
  server: FileServer,
  address: string,
  command: Bytes,
): Promise<void> {
  const decoder = new Decoder(TRANSFER_VOCABULARY, {
    messageBytes: 1_000,
    skippedBytes: 0,
  });
  decoder.push(command);
  const message: Message = decoder.next()!;
  await server.files.handle({ address } as ServerSession, message);
}

async function reserveAs(
  server: FileServer,
  address: string,
  blob: TestBlob,
): Promise<void> {
  await asAccount(server, address, await reserveCommand(blob, HOUR));
}

async function isFull(work: () => Promise<unknown>): Promise<void> {
  const error = await assertRejects(work, AccountError);
  assertEquals(error.reason, "spool-full");
}

async function names(directory: string): Promise<string[]> {
  const found = [];
  for await (const { name } of Deno.readDir(directory)) found.push(name);
  return found.sort();
}

/** The whole blob, sent and fetched. */
async function send(
  server: FileServer,
  blob: TestBlob,
  bytes: Bytes,
): Promise<void> {
  const link = await server.link();
  try {
    await upload(link, blob, sourceOf(bytes));
  } finally {
    await link.close();
  }
}

async function fetched(server: FileServer, blob: TestBlob): Promise<Bytes> {
  const link = await server.link();
  const { keys } = blob;
  const sink = new MemorySink(blob.cutting.size);
  try {
    await download(link, { keys, claim: newSecret(), from: 0 }, sink);
    return sink.bytes.subarray(0, sink.written);
  } finally {
    await link.close();
  }
}

Deno.test("files: one account fills its own room, by count and by bytes, and nobody else's", async () => {
  const { cutting: { size } } = await testBlob(100_000);
  await using server = await fileServer({
    limits: {
      account: { blobs: 3, bytes: 10 * size },
      guests: { blobs: 100, bytes: 100 * size },
    },
  });
  const blobs = await Promise.all([1, 2, 3, 4].map(() => testBlob(100_000)));
  for (const blob of blobs.slice(0, 3)) {
    await reserveAs(server, "alice@test", blob);
  }
  // The same again takes no more room.
  await reserveAs(server, "alice@test", blobs[0]!);
  await isFull(() => reserveAs(server, "alice@test", blobs[3]!));
  await reserveAs(server, "bob@test", blobs[3]!);
  const eleven = await testBlob(11 * 100_000);
  await isFull(() => reserveAs(server, "carol@test", eleven));
  // Room that is given back can be used again.
  await asAccount(server, "alice@test", removeCommand(blobs[1]!));
  await reserveAs(server, "alice@test", await testBlob(100_000));
});

Deno.test("files: guests share one room, and one room holds everybody", async () => {
  const { cutting: { size } } = await testBlob(1_000);
  await using server = await fileServer({
    limits: {
      guests: { blobs: 2, bytes: 2 * size },
      total: { blobs: 3, bytes: 3 * size },
    },
  });
  await reserve(server, await testBlob(1_000));
  await reserve(server, await testBlob(1_000));
  await isFull(async () => reserve(server, await testBlob(1_000)));
  await reserveAs(server, "alice@test", await testBlob(1_000));
  await isFull(async () =>
    reserveAs(server, "alice@test", await testBlob(1_000))
  );
});

Deno.test("files: a server for members takes nothing from guests", async () => {
  await using server = await fileServer({
    limits: { guests: { blobs: 0, bytes: 0 } },
  });
  await isFull(async () => reserve(server, await testBlob(0)));
  await reserveAs(server, "alice@test", await testBlob(0));
});

Deno.test("files: nobody takes another's blob by its id", async () => {
  await using server = await fileServer();
  const blob = await testBlob(10);
  await reserve(server, blob);
  for (
    const other of [
      { ...blob, writeCapability: randomBytes(32) },
      { ...blob, cutting: cutting(100_000) },
    ]
  ) {
    const error = await assertRejects(
      () => reserve(server, other),
      AccountError,
    );
    assertEquals(error.reason, "blob-exists");
  }
  const error = await assertRejects(
    () => reserveAs(server, "mallory@test", blob),
    AccountError,
  );
  assertEquals(error.reason, "blob-exists");
});

Deno.test("files: what has expired is not given out, and leaves the spool", async () => {
  let now = 1_000_000_000_000;
  await using server = await fileServer({ now: () => now });
  const bytes = noise(PIECE_PLAINTEXT + 1);
  const blobs = await Promise.all([1, 2].map(() => testBlob(bytes.length)));
  const [short, long] = blobs as [TestBlob, TestBlob];
  await reserve(server, short, { downloads: 9, lifetime: 60 });
  await reserve(server, long, { downloads: 9, lifetime: 120 });
  await send(server, short, bytes);
  await send(server, long, bytes);
  now += 59_999;
  assertEquals(await fetched(server, short), bytes);
  assertEquals(await server.files.expire(), 0);
  now += 1;
  const error = await assertRejects(
    () => fetched(server, short),
    AccountError,
  );
  assertEquals(error.reason, "unknown-blob");
  assertEquals(await server.files.expire(), 1);
  const hex = long.id.toHex();
  assertEquals(await names(server.spool), [`${hex}.blob`, `${hex}.map`]);
  assertEquals(await fetched(server, long), bytes);
  now += 60_000;
  assertEquals(await server.files.expire(), 1);
  assertEquals(await names(server.spool), []);
  assertEquals(await server.store.blobs.usage(), { blobs: 0, bytes: 0 });
});

Deno.test("files: a blob is kept no longer than the server allows", async () => {
  let now = 1_000_000_000_000;
  await using server = await fileServer({
    limits: { lifetime: 10 },
    now: () => now,
  });
  const blob = await testBlob(5);
  await reserve(server, blob, { downloads: 1, lifetime: 0xffff_ffff });
  now += 10_000;
  assertEquals(await server.files.expire(), 1);
});

Deno.test("files: what a killed server left in the spool goes, what is known stays", async () => {
  await using server = await fileServer();
  const bytes = noise(3 * PIECE_PLAINTEXT);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob);
  await send(server, blob, bytes);
  const stray = (await sha256(randomBytes(8))).toHex();
  for (const name of [`${stray}.blob`, `${stray}.map`, "half.map"]) {
    await Deno.writeTextFile(`${server.spool}/${name}`, "left behind");
  }
  await server.files.expire();
  const hex = blob.id.toHex();
  assertEquals(await names(server.spool), [`${hex}.blob`, `${hex}.map`]);
  assertEquals(await fetched(server, blob), bytes);
});

Deno.test("files: a blob that comes while the spool is cleaned stays", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const spool = new Spool(directory);
    const [old, young] = [randomBytes(32), randomBytes(32)];
    const make = (id: Bytes) =>
      spool.use(id, cutting(PIECE_BYTES + 16), () => Promise.resolve());
    await make(old);
    await spool.keepOnly(async () => {
      await make(young);
      return [];
    });
    const hex = young.toHex();
    assertEquals(await names(directory), [`${hex}.blob`, `${hex}.map`]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("S0.9: the spool is cleaned while transfers are under way, and none is harmed", async () => {
  await using server = await fileServer();
  let over = false;
  const cleaning = (async () => {
    let times = 0;
    for (; !over; times++) {
      await server.files.expire();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return times;
  })();
  for (let run = 0; run < 20; run++) {
    const bytes = noise(2 * PIECE_PLAINTEXT + run);
    const blob = await testBlob(bytes.length);
    await reserve(server, blob);
    await send(server, blob, bytes);
    assertEquals(await fetched(server, blob), bytes);
  }
  over = true;
  assert(await cleaning > 20);
  // Whoever has fetched a blob does not wait until the server has removed its last file.
  const deadline = performance.now() + 10_000;
  while ((await names(server.spool)).length > 0) {
    assert(performance.now() < deadline, "something was left");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});

Deno.test("S0.9: two who fetch the same at once both get it, and a third does not", async () => {
  await using server = await fileServer();
  const bytes = noise(12 * PIECE_PLAINTEXT);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob, { downloads: 2, lifetime: 60 });
  const both = Promise.all([fetched(server, blob), fetched(server, blob)]);
  // Both have their claim, as the file has not even come.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const error = await assertRejects(
    () => fetched(server, blob),
    AccountError,
  );
  assertEquals(error.reason, "blob-taken");
  await send(server, blob, bytes);
  for (const each of await both) assertEquals(each, bytes);
  await spoolEmptied(server);
});

Deno.test("S0.9: one sender on two connections at once ends with the same bytes", async () => {
  await using server = await fileServer();
  const bytes = noise(30 * PIECE_PLAINTEXT + 3);
  const blob = await testBlob(bytes.length);
  await reserve(server, blob);
  await Promise.all([send(server, blob, bytes), send(server, blob, bytes)]);
  assertEquals(await fetched(server, blob), bytes);
  assertEquals(server.failures, []);
});
