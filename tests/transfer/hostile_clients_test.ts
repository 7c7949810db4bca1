import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  DATA_LENGTH,
  KO,
  MAX_PACKET,
  VERIFICATION_SHA256,
} from "../../lib/account/mod.ts";
import {
  Caller,
  CommandWriter,
  concat,
  randomBytes,
  sha256,
  utf8,
} from "../../lib/protocol/mod.ts";
import type {
  Bytes,
  ByteStream,
  CommandChannel,
} from "../../lib/protocol/mod.ts";
import {
  download,
  newSecret,
  PIECE_PLAINTEXT,
  removeCommand,
  reserveCommand,
  upload,
} from "../../lib/transfer/mod.ts";
import {
  BLOB_ID,
  CLAIM,
  DOWNLOAD,
  PIECE,
  PUT,
  READ_CAPABILITY,
  READY,
  UPLOAD,
  WRITE_CAPABILITY,
} from "../../lib/transfer/commands.ts";
import { PIECE_BYTES } from "../../lib/transfer/pieces.ts";
import { memoryInUse } from "../hostile/memory.ts";
import { AlteringWay } from "./altering_way.ts";
import {
  fileServer,
  MemorySink,
  noise,
  reserve,
  sourceOf,
  testBlob,
} from "./file_server.ts";
import type { FileServer, TestBlob } from "./file_server.ts";

// Whatever somebody sends to a server of files, others go on, and memory stays within bounds.

const LENGTH = 4 * PIECE_PLAINTEXT + 5;
/** What a connection may fail with at the server; anything else would be a defect there. */
const EXPECTED = new Set(["ChannelError", "MalformedError"]);

/** Sends a file through the server and fetches it. */
async function checkWorks(server: FileServer): Promise<void> {
  const bytes = noise(LENGTH);
  const blob = await testBlob(LENGTH);
  await reserve(server, blob);
  const up = await server.link();
  await upload(up, blob, sourceOf(bytes));
  await up.close();
  const sink = new MemorySink(LENGTH);
  const down = await server.link();
  await download(down, { keys: blob.keys, claim: newSecret(), from: 0 }, sink);
  await down.close();
  assertEquals(sink.bytes, bytes);
  assertEquals(server.failures, []);
  const names = server.dropped.splice(0).map((each) => (each as Error).name);
  assertEquals(names.filter((name) => !EXPECTED.has(name)), []);
}

/** Reads until the server closes; whether it did so within five seconds. */
async function isLeft(link: CommandChannel): Promise<boolean> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    link.abort();
  }, 5_000);
  try {
    for (let message; (message = await link.next()) !== null;) {
      if (message.verb !== PUT) continue;
      await link.body(message.need(DATA_LENGTH));
    }
  } catch {
    // It was dropped.
  } finally {
    clearTimeout(timer);
  }
  link.abort();
  return !late;
}

function uploadCommand({ id, writeCapability }: TestBlob): Bytes {
  return new CommandWriter().set(BLOB_ID, id)
    .set(WRITE_CAPABILITY, writeCapability).set(MAX_PACKET, 65_536)
    .verb(UPLOAD).done();
}

function downloadCommand({ keys }: TestBlob, piece = 0): Bytes {
  return new CommandWriter().set(READ_CAPABILITY, keys.readCapability)
    .set(CLAIM, utf8("x".repeat(32))).set(PIECE, piece)
    .set(MAX_PACKET, 65_536).verb(DOWNLOAD).done();
}

function put(index: number, length: number, hash: Bytes): Bytes {
  return new CommandWriter().set(PIECE, index).set(DATA_LENGTH, length)
    .set(VERIFICATION_SHA256, hash).verb(PUT).done();
}

/** A connection that may write a blob of its own. */
async function writing(
  server: FileServer,
  through?: (stream: ByteStream) => ByteStream,
): Promise<CommandChannel> {
  const blob = await testBlob(LENGTH);
  await reserve(server, blob);
  const link = await server.link(through);
  await link.send(uploadCommand(blob));
  assertEquals((await link.next())?.verb, READY);
  return link;
}

Deno.test("S0.9: random and mutated bytes instead of commands end that connection alone", async () => {
  // Whoever guesses is slowed down, so that each comes long after the one before.
  let now = Date.now();
  await using server = await fileServer({ now: () => now });
  const blob = await testBlob(LENGTH);
  const seeds = [
    await reserveCommand(blob, { downloads: 1, lifetime: 60 }),
    uploadCommand(blob),
    downloadCommand(blob),
    removeCommand(blob),
    put(0, 100, randomBytes(32)),
  ];
  const mutated = fc.tuple(
    fc.nat(seeds.length - 1),
    fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
    fc.nat(400),
  ).map(([which, changes, cut]) => {
    const bytes = seeds[which]!.slice();
    for (const [at, value] of changes) bytes[at % bytes.length] = value;
    return bytes.slice(0, cut);
  });
  const random = fc.uint8Array({ maxLength: 600 })
    .map((bytes) => new Uint8Array(bytes));
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, random), async (bytes) => {
      now += 86_400_000;
      const link = await server.link();
      await link.send(bytes);
      await link.close();
      await link.next().catch(() => {});
    }),
    { numRuns: 300 },
  );
  await checkWorks(server);
});

Deno.test("S0.9: random and mutated bytes where pieces are expected end that connection alone", async () => {
  await using server = await fileServer();
  const hash = randomBytes(32);
  for (let run = 0; run < 60; run++) {
    const link = await writing(server);
    const bytes = concat(put(run % 5, PIECE_BYTES, hash), randomBytes(200));
    for (let i = 0; i < run % 4; i++) {
      bytes[Math.floor(Math.random() * bytes.length)]! ^= 1 << run % 8;
    }
    link.send(bytes).catch(() => {});
    if (run % 2 === 0) link.sendWithBody(bytes, bytes).catch(() => {});
    await link.close();
  }
  await checkWorks(server);
});

const BODY = noise(PIECE_BYTES);
const HASH = await sha256(BODY);

const PIECES: Readonly<Record<string, readonly [Bytes, Bytes]>> = {
  "that does not exist": [put(5, PIECE_BYTES, HASH), BODY],
  "with a number beyond all": [put(0xffff_ffff, PIECE_BYTES, HASH), BODY],
  "that is shorter": [put(0, PIECE_BYTES - 1, HASH), BODY.slice(0, -1)],
  "that is longer": [
    put(0, PIECE_BYTES + 1, HASH),
    concat(BODY, BODY.slice(0, 1)),
  ],
  "that is empty": [put(0, 0, HASH), BODY],
  "that is endless": [put(0, 0xffff_ffff, HASH), BODY],
  "whose body is shorter than said": [
    put(0, PIECE_BYTES, HASH),
    concat(BODY.slice(1)),
  ],
  "whose body is longer than said": [
    put(0, PIECE_BYTES, HASH),
    concat(BODY, BODY.slice(0, 1)),
  ],
  "without a number": [
    new CommandWriter().set(DATA_LENGTH, PIECE_BYTES)
      .set(VERIFICATION_SHA256, HASH).verb(PUT).done(),
    BODY,
  ],
  "without a hash": [
    new CommandWriter().set(PIECE, 0).set(DATA_LENGTH, PIECE_BYTES)
      .verb(PUT).done(),
    BODY,
  ],
  "without a command": [new Uint8Array(0), BODY],
};

for (const [what, [command, body]] of Object.entries(PIECES)) {
  Deno.test(`S0.9: a piece ${what} ends the connection`, async () => {
    await using server = await fileServer();
    const link = await writing(server);
    link.sendWithBody(command, body).catch(() => {/* it was left before */});
    // Where a body is too short, the next record stands in its place.
    link.send(new CommandWriter().verb(READY).done()).catch(() => {});
    assert(await isLeft(link));
    await checkWorks(server);
  });
}

Deno.test("S0.9: a piece whose hash is wrong is refused, however often, and nothing is kept of it", async () => {
  await using server = await fileServer();
  const link = await writing(server);
  const wrong = randomBytes(32);
  for (let i = 0; i < 50; i++) {
    await link.sendWithBody(put(0, PIECE_BYTES, wrong), BODY);
    const answer = await link.next();
    assertEquals([answer?.verb, answer?.get(PIECE)], [KO, 0]);
  }
  await link.close();
  for await (const { name, isFile } of Deno.readDir(server.spool)) {
    const { size } = await Deno.stat(`${server.spool}/${name}`);
    assertEquals([isFile, size], [true, 0], name);
  }
  await checkWorks(server);
});

Deno.test("S0.9: who asks for pieces again that were never sent, or thousands of times, is left", async () => {
  await using server = await fileServer();
  const blob = await testBlob(LENGTH);
  await reserve(server, blob);
  const up = await server.link();
  await upload(up, blob, sourceOf(noise(LENGTH)));
  await up.close();
  const ko = (index: number) =>
    new CommandWriter().set(PIECE, index).verb(KO).done();

  for (const index of [5, 0xffff_ffff]) {
    const link = await server.link();
    await link.send(concat(downloadCommand(blob), ko(index)));
    assert(await isLeft(link), `piece ${index}`);
  }
  const beyond = await server.link();
  await beyond.send(downloadCommand(blob, 6));
  assert(await isLeft(beyond));

  const way = new AlteringWay({});
  const link = await server.link(way.through);
  await link.send(downloadCommand(blob));
  await link.next();
  const first = await link.next();
  await link.body(first!.need(DATA_LENGTH));
  for (let i = 0; i < 1_001; i++) link.send(ko(0)).catch(() => {});
  assert(await isLeft(link));
  assert(way.down < 1_010 * PIECE_BYTES, `${way.down} bytes`);
  // Nobody else was harmed: the same reader has it all, later.
  const sink = new MemorySink(LENGTH);
  const down = await server.link();
  const claim = utf8("x".repeat(32));
  await download(down, { keys: blob.keys, claim, from: 0 }, sink);
  await down.close();
  assertEquals(sink.written, LENGTH);
});

Deno.test("S0.9: a hundred connections that stop in the middle of a piece take little memory, and nobody's time", async () => {
  await using server = await fileServer();
  await checkWorks(server);
  const before = memoryInUse();
  const links: CommandChannel[] = [];
  for (let i = 0; i < 100; i++) {
    // Half of the body arrives.
    let left = Infinity;
    const link = await writing(server, (stream) => ({
      read: (buffer) => stream.read(buffer),
      write: async (bytes) => {
        const allowed = Math.max(0, Math.min(bytes.length, left));
        for (let at = 0; at < allowed;) {
          at += await stream.write(bytes.subarray(at, allowed));
        }
        left -= allowed;
        return bytes.length;
      },
      close: () => stream.close(),
    }));
    left = PIECE_BYTES / 2;
    link.sendWithBody(put(0, PIECE_BYTES, HASH), BODY).catch(() => {});
    links.push(link);
  }
  await checkWorks(server);
  const growth = memoryInUse().live - before.live;
  // A piece that is on its way, what has been read of it, and what the client itself keeps here.
  assert(growth < 100 * 3 * PIECE_BYTES, `${growth} bytes`);
  for (const link of links.splice(0)) link.abort();
  await checkWorks(server);
  const after = memoryInUse().live - before.live;
  assert(after < 20 * PIECE_BYTES, `${after} bytes afterwards`);
});

Deno.test("S0.9: a reader that reads nothing fills no memory at the server", async () => {
  await using server = await fileServer();
  const length = 100 * PIECE_PLAINTEXT;
  const blob = await testBlob(length);
  await reserve(server, blob, { downloads: 20, lifetime: 60 });
  const up = await server.link();
  await upload(up, blob, sourceOf(new Uint8Array(length)));
  await up.close();
  const before = memoryInUse();
  const lazy: Deno.TcpConn[] = [];
  for (let i = 0; i < 20; i++) {
    const connection = await server.dial();
    const channel = await new Caller(connection)
      .connect(server.node.dh.publicKey);
    await channel.send(
      new CommandWriter().set(READ_CAPABILITY, blob.keys.readCapability)
        .set(CLAIM, randomBytes(32)).set(PIECE, 0).verb(DOWNLOAD).done(),
    );
    lazy.push(connection);
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  const growth = memoryInUse().live - before.live;
  assert(growth < 20 * 6 * PIECE_BYTES, `${growth} bytes`);
  for (const connection of lazy) connection.close();
  await assertRejects(() => lazy[0]!.read(new Uint8Array(1)));
  await checkWorks(server);
});
