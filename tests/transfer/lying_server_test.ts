import { assert, assertEquals, assertRejects } from "@std/assert";
import { MalformedError } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { download, newSecret } from "../../lib/transfer/mod.ts";
import {
  CHUNKS_PER_PIECE,
  PIECE_BYTES,
  PIECE_PLAINTEXT,
} from "../../lib/transfer/pieces.ts";
import { sealRun } from "../../lib/transfer/sealed_blob/chunk_run.ts";
import { MemorySink, noise, testBlob } from "./file_server.ts";
import { leave, lyingServer, sealedPieces, serveLies } from "./lying_server.ts";
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
