import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  AccountError,
  KO,
  MAX_PACKET,
  OK,
  REASON,
} from "../../lib/account/mod.ts";
import {
  ChannelError,
  CommandWriter,
  MalformedError,
  randomBytes,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { Bytes, CommandChannel } from "../../lib/protocol/mod.ts";
import { DATA_LENGTH } from "../../lib/account/mod.ts";
import { download, newSecret, upload } from "../../lib/transfer/mod.ts";
import {
  ARRIVED,
  BLOB_DIGEST,
  COMPLETE,
  PIECE,
  PIECES,
  PUT,
  READY,
} from "../../lib/transfer/commands.ts";
import {
  CHUNKS_PER_PIECE,
  encodePieces,
  PIECE_BYTES,
  PIECE_PLAINTEXT,
} from "../../lib/transfer/pieces.ts";
import { sealRun } from "../../lib/transfer/sealed_blob/chunk_run.ts";
import { MemorySink, noise, sourceOf, testBlob } from "./file_server.ts";
import { lyingServer, sealedPieces, serveLies } from "./lying_server.ts";
import type { Lies, SentPiece } from "./lying_server.ts";

// A server that holds its keys and lies: nothing that was not sealed is ever written, and each lie that
// can be told from the truth ends with an error that says so.

const COUNT = 6;
const LENGTH = (COUNT - 1) * PIECE_PLAINTEXT + 999;

const BYTES = noise(LENGTH);
const BLOB = await testBlob(LENGTH);
const SEALED = await sealedPieces(BLOB, BYTES);
const OTHER = await testBlob(LENGTH);
const OTHER_SEALED = await sealedPieces(OTHER, BYTES);

function piece(index: number, body: Bytes = SEALED[index]!): SentPiece {
  return { index, body };
}

const PIECES_IN_ORDER = SEALED.map((_, index) => piece(index));

function altered(bytes: Bytes): Bytes {
  const copy = bytes.slice();
  copy[1_000 % copy.length]! ^= 0x10;
  return copy;
}

const HONEST: Lies = {
  header: BLOB.key.header,
  size: BigInt(BLOB.cutting.size),
  pieces: PIECES_IN_ORDER,
  again: (index) => piece(index),
};

/** Fetches from a server that tells these lies; what was written must be the truth in any case. */
async function fetchFrom(lies: Lies, from = 0): Promise<MemorySink> {
  await using server = await lyingServer((link) => serveLies(link, lies));
  const link = await server.link();
  const sink = new MemorySink(LENGTH);
  sink.written = from;
  try {
    await download(link, { keys: BLOB.keys, claim: newSecret(), from }, sink);
  } finally {
    await leave(link);
    assertEquals(
      sink.bytes.subarray(from, sink.written),
      BYTES.subarray(from, sink.written),
    );
  }
  return sink;
}

Deno.test("S0.9: pieces in any order arrive in theirs", async () => {
  const orders = [
    PIECES_IN_ORDER,
    PIECES_IN_ORDER.toReversed(),
    [3, 1, 0, 5, 4, 2].map((index) => piece(index)),
  ];
  for (const pieces of orders) {
    const sink = await fetchFrom({ ...HONEST, pieces });
    assertEquals([sink.written, sink.synced], [LENGTH, LENGTH]);
  }
});

Deno.test("S0.9: a piece that the server has lost a bit of is asked for again, and healed", async () => {
  for (let index = 0; index < COUNT; index++) {
    const pieces = PIECES_IN_ORDER.with(
      index,
      piece(index, altered(SEALED[index]!)),
    );
    assertEquals((await fetchFrom({ ...HONEST, pieces })).written, LENGTH);
  }
});

/** What a server could send, and what comes of it. */
const LIES: Readonly<Record<string, [Partial<Lies>, string]>> = {
  "swaps two pieces": [{
    pieces: PIECES_IN_ORDER.with(1, piece(1, SEALED[2])).with(
      2,
      piece(2, SEALED[1]),
    ),
    again: (index) => piece(index, SEALED[3 - index]),
  }, "CryptoError"],
  "sends one piece for all": [{
    pieces: PIECES_IN_ORDER.map(({ index }) =>
      index === COUNT - 1 ? piece(index) : piece(index, SEALED[0])
    ),
    again: (index) => piece(index, SEALED[0]),
  }, "CryptoError"],
  "sends a piece twice": [{
    pieces: [piece(0), piece(1), piece(0), ...PIECES_IN_ORDER.slice(2)],
  }, "MalformedError"],
  "sends a later piece twice": [{
    pieces: [piece(3), piece(3)],
  }, "MalformedError"],
  "sends pieces of another blob": [{
    pieces: OTHER_SEALED.map((body, index) => piece(index, body)),
    again: (index) => piece(index, OTHER_SEALED[index]),
  }, "CryptoError"],
  "has altered a piece and its hash": [{
    pieces: PIECES_IN_ORDER.with(4, piece(4, altered(SEALED[4]!))),
    again: (index) => piece(index, altered(SEALED[index]!)),
  }, "CryptoError"],
  "has cut the last piece short": [{
    pieces: PIECES_IN_ORDER.with(
      COUNT - 1,
      piece(COUNT - 1, SEALED[COUNT - 1]!.slice(0, -1)),
    ),
  }, "MalformedError"],
  "sends a piece that does not exist": [{
    pieces: [piece(COUNT, SEALED[0])],
  }, "MalformedError"],
  "sends a piece with a number beyond all": [{
    pieces: [piece(0xffff_ffff, SEALED[0])],
  }, "MalformedError"],
  "sends nothing as a piece": [{
    pieces: [piece(0, new Uint8Array(0))],
  }, "MalformedError"],
  "has the header of another blob": [
    { header: OTHER.key.header },
    "CryptoError",
  ],
  "has a header without an end": [
    { header: BLOB.key.header.slice(0, 55) },
    "MalformedError",
  ],
  "has no header": [{ header: new Uint8Array(0) }, "MalformedError"],
  "calls the blob a byte longer": [
    { size: HONEST.size + 1n },
    "MalformedError",
  ],
  "calls the blob a piece longer": [
    { size: HONEST.size + BigInt(PIECE_BYTES) },
    "MalformedError",
  ],
  "calls the blob shorter": [
    { size: BigInt(SEALED[0]!.length + 17) },
    "MalformedError",
  ],
  "cuts the blob off behind a piece": [
    { size: BigInt(SEALED[0]!.length), pieces: [piece(0)] },
    "MalformedError",
  ],
  "calls the blob empty": [{ size: 0n }, "MalformedError"],
  "calls the blob endless": [{ size: 2n ** 64n - 1n }, "MalformedError"],
  "says at once that all was fetched": [
    { early: true, pieces: [] },
    "MalformedError",
  ],
  "does not send a piece again": [{
    pieces: PIECES_IN_ORDER.with(0, piece(0, altered(SEALED[0]!))),
    again: () => undefined,
  }, "ChannelError"],
};

for (const [what, [lies, expected]] of Object.entries(LIES)) {
  Deno.test(`S0.9: a server that ${what} is found out`, async () => {
    const error = await assertRejects(
      () => fetchFrom({ ...HONEST, ...lies }),
      Error,
    );
    assertEquals(error.name, expected);
  });
}

Deno.test("S0.9: a server that never sends the first piece fills no memory", async () => {
  const blob = await testBlob(200 * PIECE_PLAINTEXT);
  const zeros = new Uint8Array(PIECE_PLAINTEXT);
  let sent = 0;
  async function* withoutTheFirst(): AsyncGenerator<SentPiece> {
    for (let index = 1; index < 200; index++) {
      sent++;
      const first = index * CHUNKS_PER_PIECE;
      yield { index, body: await sealRun(blob.key, first, zeros, false) };
    }
  }
  await using server = await lyingServer((link) =>
    serveLies(link, {
      header: blob.key.header,
      size: BigInt(blob.cutting.size),
      pieces: withoutTheFirst(),
      again: () => undefined,
    })
  );
  const link = await server.link();
  const { keys } = blob;
  await assertRejects(
    () =>
      download(
        link,
        { keys, claim: newSecret(), from: 0 },
        new MemorySink(0),
      ),
    MalformedError,
    "piece 0",
  );
  assert(sent < 160, `${sent} pieces were taken`);
  await leave(link);
});

/** A record that is being opened when it leaves is waited for. */
async function leave(link: CommandChannel): Promise<void> {
  link.abort();
  await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Sends to a server that follows a script after UPLOAD. */
async function sendTo(
  script: (link: CommandChannel) => Promise<void>,
): Promise<Bytes> {
  await using server = await lyingServer(script);
  const link = await server.link();
  try {
    return await upload(link, BLOB, sourceOf(BYTES));
  } finally {
    await leave(link);
  }
}

function ready(arrived: Bytes): Bytes {
  return new CommandWriter().set(ARRIVED, arrived).verb(READY).done();
}

/** Reads what is put, with its body; ends when the client leaves. */
async function eachPut(
  link: CommandChannel,
  taken: (index: number) => Promise<void>,
): Promise<void> {
  for (let message; (message = await link.next()) !== null;) {
    if (message.verb !== PUT) continue;
    await link.body(message.need(DATA_LENGTH));
    await taken(message.need(PIECE));
  }
}

const NONSENSE: Readonly<Record<string, Bytes>> = {
  "half a run": new Uint8Array([0, 0, 0, 0, 0, 0]),
  "an empty run": encodePieces([0, 0]),
  "a run beyond the end": encodePieces([3, COUNT - 2]),
  "a run that wraps around": encodePieces([0xffff_ffff, 2]),
  "runs that overlap": encodePieces([0, 3, 2, 1]),
  "runs that fall": encodePieces([3, 1, 0, 1]),
  "random bytes": randomBytes(64),
};

for (const [what, arrived] of Object.entries(NONSENSE)) {
  Deno.test(`S0.9: a server that has received ${what} is found out`, async () => {
    await assertRejects(
      () => sendTo((link) => link.send(ready(arrived))),
      MalformedError,
    );
  });
}

Deno.test("S0.9: a server that calls every piece broken is sent each five times at most", async () => {
  const sent = new Map<number, number>();
  const error = await assertRejects(
    () =>
      sendTo(async (link) => {
        await link.send(ready(new Uint8Array(0)));
        await eachPut(link, async (index) => {
          sent.set(index, (sent.get(index) ?? 0) + 1);
          await link.send(
            new CommandWriter().set(PIECE, index)
              .set(REASON, utf8("checksum")).verb(KO).done(),
          );
        });
      }),
    AccountError,
  );
  assertEquals(error.reason, "checksum");
  assertEquals(Math.max(...sent.values()), 5);
});

Deno.test("S0.9: a server that confirms everything and has something else is found out by its digest", async () => {
  await assertRejects(
    () =>
      sendTo(async (link) => {
        await link.send(ready(new Uint8Array(0)));
        let count = 0;
        await eachPut(link, async (index) => {
          await link.send(
            new CommandWriter().set(
              PIECES,
              encodePieces([index, 77, 0xffff_ffff]),
            )
              .verb(OK).done(),
          );
          if (++count < COUNT) return;
          await link.send(
            new CommandWriter().set(BLOB_DIGEST, randomBytes(32))
              .verb(COMPLETE).done(),
          );
        });
      }),
    MalformedError,
    "something else",
  );
});

Deno.test("S0.9: confirmations of what was never sent, and KOs for it, change nothing", async () => {
  await assertRejects(
    () =>
      sendTo(async (link) => {
        await link.send(ready(new Uint8Array(0)));
        const all = Array.from({ length: 1_000 }, (_, i) => i + COUNT);
        await link.send(
          new CommandWriter().set(PIECES, encodePieces(all)).verb(OK).done(),
        );
        for (const index of all) {
          await link.send(
            new CommandWriter().set(PIECE, index)
              .set(REASON, utf8("checksum")).verb(KO).done(),
          );
        }
        let count = 0;
        await new Promise<void>((resolve) => {
          eachPut(link, () => {
            if (++count === COUNT) resolve();
            return Promise.resolve();
          }).catch(() => {});
        });
        assertEquals(count, COUNT);
      }),
    ChannelError,
  );
});

Deno.test("S0.9: a full server, a refusal in words of the future and another answer are told apart", async () => {
  const ko = (reason: string) => (link: CommandChannel) =>
    link.send(
      new CommandWriter().set(REASON, utf8(reason)).verb(KO).done(),
    );
  const full = await assertRejects(
    () => sendTo(ko("spool-full")),
    AccountError,
  );
  assertEquals(full.reason, "spool-full");
  const odd = await assertRejects(() => sendTo(ko("\x1b[2Jode")), AccountError);
  assert(!odd.message.includes("\x1b"));
  await assertRejects(
    () => sendTo((link) => link.send(new CommandWriter().verb(OK).done())),
    MalformedError,
  );
  await assertRejects(
    () =>
      sendTo((link) =>
        link.send(
          new CommandWriter().set(MAX_PACKET, 10)
            .set(ARRIVED, new Uint8Array(0)).verb(READY).done(),
        )
      ),
    MalformedError,
  );
  await assertRejects(() => sendTo(() => Promise.resolve()), ChannelError);
});

Deno.test("S0.9: a server that falls silent is left after a minute", async () => {
  // A thousand times faster.
  const { setInterval: slowly } = globalThis;
  const now = performance.now.bind(performance);
  globalThis.setInterval =
    ((work: () => void, ms: number) =>
      slowly(work, ms / 1_000)) as typeof setInterval;
  performance.now = () => now() * 1_000;
  try {
    await assertRejects(
      () =>
        sendTo(async (link) => {
          await link.send(ready(new Uint8Array(0)));
          await eachPut(link, () => Promise.resolve()).catch(() => {});
        }),
      ChannelError,
    );
  } finally {
    globalThis.setInterval = slowly;
    performance.now = now;
  }
});
