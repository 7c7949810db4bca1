import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BlobKey,
  blobKeys,
  cutting,
  download,
  sealedLength,
  upload,
} from "../../lib/transfer/mod.ts";
import {
  fileServer,
  MemorySink,
  reserve,
  sourceOf,
} from "../transfer/file_server.ts";
import type { FileServer } from "../transfer/file_server.ts";
import { arrivedPieces, digestOf, pieceNumbers } from "./naive_blob.ts";
import { NaiveConnection, need, text } from "./naive_connection.ts";
import { readCertificate } from "./naive_identity.ts";
import { fetchAll, NaiveFile, say, sendAll, takePiece } from "./naive_files.ts";
import { NaivePerson } from "./naive_person.ts";
import { ascii, random } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import type { NaiveMessage } from "./naive_risp.ts";

/** Three pieces, the last of which is short. */
const LENGTH = 2 * 524_288 + 1_000;

/** A connection for files, with the handshake done. */
async function connect(server: FileServer): Promise<NaiveConnection> {
  const connection = new NaiveConnection(await server.dial());
  await connection.shake(server.node.certificate.dhKey);
  return connection;
}

/** The answer to one thing on a connection of its own. */
async function once(
  server: FileServer,
  commands: Parameters<typeof say>[1],
): Promise<NaiveMessage> {
  const connection = await connect(server);
  try {
    const answer = await say(connection, commands);
    // Behind RESERVE, REMOVE and every refusal the server closes.
    assertEquals(await connection.next(), undefined);
    assert(connection.closed);
    return answer;
  } finally {
    connection.drop();
  }
}

/** What was refused, and why. */
async function refusal(
  server: FileServer,
  commands: Parameters<typeof say>[1],
): Promise<string> {
  const answer = await once(server, commands);
  assertEquals(answer.verb, "KO");
  return text(answer, "REASON");
}

Deno.test("S0.9: a client of the text sends a file and another one fetches it; then it is gone", async () => {
  await using server = await fileServer();
  for (const length of [0, 16_384, LENGTH]) {
    const file = new NaiveFile(random(length));
    const reserved = await once(server, file.reserve());
    assertEquals(reserved.verb, "RESERVED");
    const ends = Number(need<bigint>(reserved, "EXPIRES-AT"));
    assert(Math.abs(ends - Date.now() - 3_600_000) < 60_000);
    const up = await connect(server);
    const digest = await sendAll(up, file);
    assertEquals(digest, digestOf(file.pieces));
    await up.close();
    const down = await connect(server);
    const fetched = await fetchAll(down, file.secret);
    assertEquals(fetched.plaintext, file.plaintext);
    assertEquals(fetched.digest, digest);
    await down.close();
    assertEquals(
      await refusal(server, file.read(random(32))),
      "unknown-blob",
    );
  }
  assertEquals(server.failures, []);
});

Deno.test("S0.9: the text and the library send to each other and fetch from each other", async () => {
  await using server = await fileServer();
  const plaintext = random(LENGTH);
  const file = new NaiveFile(plaintext);
  await once(server, file.reserve());
  const naiveUp = await connect(server);
  const digest = await sendAll(naiveUp, file);
  await naiveUp.close();
  const down = await server.link();
  const sink = new MemorySink(LENGTH);
  const keys = await blobKeys(file.secret);
  const blob = { keys, claim: random(32), from: 0 };
  assertEquals(await download(down, blob, sink), digest);
  await down.close();
  assertEquals(sink.bytes, plaintext);

  const secret = random(32);
  const { id, inputKey, context } = await blobKeys(secret);
  const ours = {
    id,
    writeCapability: random(32),
    key: await BlobKey.create(inputKey, context),
    cutting: cutting(sealedLength(LENGTH)),
  };
  await reserve(server, ours);
  const up = await server.link();
  const sent = await upload(up, ours, sourceOf(plaintext));
  await up.close();
  const naiveDown = await connect(server);
  assertEquals(await fetchAll(naiveDown, secret), { plaintext, digest: sent });
  await naiveDown.close();
  assertEquals(server.failures, []);
});

Deno.test("S0.9: a piece that is altered on its way is refused and taken when it comes again, and the channel goes on", async () => {
  await using server = await fileServer();
  const file = new NaiveFile(random(LENGTH));
  await once(server, file.reserve());
  const up = await connect(server);
  const ready = await say(up, file.write("UPLOAD"));
  assertEquals(need<Octets>(ready, "ARRIVED"), new Uint8Array(0));
  await file.put(up, 1, true);
  const ko = (await up.next())!;
  assertEquals(ko.verb, "KO");
  assertEquals([need<number>(ko, "PIECE"), text(ko, "REASON")], [
    1,
    "checksum",
  ]);
  assertEquals((await say(up, ["HELO"])).verb, "OLEH");
  await file.put(up, 1);
  const ok = (await up.next())!;
  assertEquals(pieceNumbers(need<Octets>(ok, "PIECES")), [1]);
  up.drop();
  // Killed there, it goes on with the others; one that is there already is confirmed again.
  const again = await connect(server);
  const resumed = await say(again, file.write("UPLOAD"));
  assertEquals(arrivedPieces(need<Octets>(resumed, "ARRIVED")), [1]);
  await file.put(again, 1);
  assertEquals((await again.next())!.verb, "OK");
  again.drop();
  const last = await connect(server);
  assertEquals(await sendAll(last, file), digestOf(file.pieces));
  await last.close();
  const whole = await connect(server);
  const there = await say(whole, file.write("UPLOAD"));
  assertEquals(arrivedPieces(need<Octets>(there, "ARRIVED")), [0, 1, 2]);
  assertEquals((await whole.next())!.verb, "COMPLETE");
  await whole.close();
});

Deno.test("S0.9: a reader asks for a piece again, goes on where it was, and may fetch while it is sent", async () => {
  await using server = await fileServer();
  const file = new NaiveFile(random(LENGTH));
  await once(server, file.reserve());
  const claim = random(32);
  const down = await connect(server);
  const blob = await say(down, file.read(claim));
  assertEquals(blob.verb, "BLOB");
  assertEquals(need<Octets>(blob, "BLOB-HEADER"), file.blob.header);
  assertEquals((await say(down, ["HELO"])).verb, "OLEH");
  const up = await connect(server);
  await say(up, file.write("UPLOAD"));
  for (const i of [2, 0, 1]) await file.put(up, i);
  for (const index of [0, 1, 2]) {
    assertEquals(await takePiece(down), { index, piece: file.pieces[index]! });
  }
  await down.send([["PIECE", 1], "KO"]);
  assertEquals(await takePiece(down), { index: 1, piece: file.pieces[1]! });
  down.drop();
  up.drop();
  assertEquals(await refusal(server, file.read(random(32))), "blob-taken");
  const again = await connect(server);
  await say(again, file.read(claim, ["PIECE", 2]));
  assertEquals(await takePiece(again), { index: 2, piece: file.pieces[2]! });
  const ok = await say(again, ["FETCHED"]);
  assertEquals(need<Octets>(ok, "BLOB-DIGEST"), digestOf(file.pieces));
  await again.close();
  assertEquals(await refusal(server, file.read(claim)), "unknown-blob");
});

Deno.test("S2.5: bodies keep to the lower MAX-PACKET of both sides", async () => {
  await using server = await fileServer({ maxPacket: 4_096 });
  const file = new NaiveFile(random(20_000));
  await once(server, file.reserve());
  const up = await connect(server);
  const ready = await say(up, file.write("UPLOAD"));
  assertEquals(need<number>(ready, "MAX-PACKET"), 4_096);
  await up.send(["HELO"], 4_096);
  assertEquals((await up.next())!.verb, "OLEH");
  await file.put(up, 0);
  assertEquals((await up.next())!.verb, "OK");
  assertEquals((await up.next())!.verb, "COMPLETE");
  await up.close();
  for (const [said, lower] of [[600, 600], [65_536, 4_096]] as const) {
    const down = await connect(server);
    await say(down, file.read(ascii("c".repeat(32)), ["MAX-PACKET", said]));
    await takePiece(down);
    assertEquals(down.longest, lower);
    down.drop();
  }
  const greedy = await connect(server);
  await say(greedy, file.write("UPLOAD"));
  assertEquals((await greedy.next())!.verb, "COMPLETE");
  await file.put(greedy, 0);
  await assertRejects(() => greedy.next(), Error, "hung up");
  greedy.drop();
});

Deno.test("S0.9: what is refused, and why", async () => {
  await using server = await fileServer({
    limits: { guests: { blobs: 2, bytes: 100_000 } },
  });
  const file = new NaiveFile(random(1_000));
  const reserved = await once(server, file.reserve());
  const same = await once(server, file.reserve(1, 9_999));
  assertEquals(
    need<bigint>(same, "EXPIRES-AT"),
    need<bigint>(reserved, "EXPIRES-AT"),
  );
  assertEquals(await refusal(server, file.reserve(2)), "blob-exists");
  const large = new NaiveFile(random(100_000));
  assertEquals(await refusal(server, large.reserve()), "spool-full");
  const other = new NaiveFile(random(1_000), file.secret);
  assertEquals(await refusal(server, other.write("UPLOAD")), "unknown-blob");
  assertEquals(await refusal(server, other.write("REMOVE")), "unknown-blob");
  assertEquals(await refusal(server, other.reserve()), "blob-exists");
  // What is malformed ends without a word.
  for (
    const commands of [
      file.reserve(0),
      file.reserve(1_001),
      file.read(random(32), ["PIECE", 2]),
      [...file.write("UPLOAD").slice(0, 1), "UPLOAD"],
    ]
  ) await assertRejects(() => once(server, commands), Error, "hung up");
  assertEquals((await once(server, file.write("REMOVE"))).verb, "REMOVED");
  assertEquals(await refusal(server, file.write("UPLOAD")), "unknown-blob");
});

Deno.test("S0.9: guesses at capabilities are slowed down, 20 are free", async () => {
  await using server = await fileServer();
  const file = new NaiveFile(random(10));
  assertEquals((await once(server, file.reserve())).verb, "RESERVED");
  for (let i = 0; i < 21; i++) {
    const guess = new NaiveFile(new Uint8Array(0));
    const reason = await refusal(server, guess.read(random(32)));
    assertEquals(reason, "unknown-blob");
  }
  const throttled = await once(server, file.read(random(32)));
  assertEquals(text(throttled, "REASON"), "throttled");
  assertEquals(need<number>(throttled, "RETRY-IN") > 0, true);
});

Deno.test("S0.9: an account reserves and removes in a submission, and sends on a connection that names nobody", async () => {
  await using server = await fileServer({
    limits: { guests: { blobs: 0, bytes: 0 } },
  });
  const bot = await NaivePerson.make("bot@test");
  const session = new NaiveConnection(await server.dial());
  const shown = await session.ask("PUBLIC-KEY");
  const node = readCertificate("node", need(shown, "NODE-CERTIFICATE"));
  await session.shake(node.agreementKey);
  const registered = await bot.register(session, node);
  await bot.login(session, need<Octets>(registered, "USR-KEY"));
  const file = new NaiveFile(random(30_000));
  assertEquals(await refusal(server, file.reserve()), "spool-full");
  const reserved = await bot.ask(session, ...file.reserve());
  assertEquals(reserved.verb, "RESERVED");
  const up = await connect(server);
  assertEquals(await sendAll(up, file), digestOf(file.pieces));
  // Nobody logs in on a connection for files any more.
  await up.send([["USERNAME", ascii("bot@test")], "PREPARE", "HELO"]);
  assertEquals((await up.next())!.verb, "OLEH");
  await up.close();
  const answers = await bot.submit(
    session,
    ...file.reserve(3),
    ...file.write("UPLOAD"),
    ...file.write("REMOVE"),
  ) as NaiveMessage[];
  assertEquals(
    answers.map((each) =>
      each.verb === "DENIED" ? text(each, "REASON") : each.verb
    ),
    ["blob-exists", "unknown-command", "REMOVED"],
  );
  const gone = await bot.submit(session, ...file.write("REMOVE"));
  assertEquals(text((gone as NaiveMessage[])[0]!, "REASON"), "unknown-blob");
  await session.close();
});
