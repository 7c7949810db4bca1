import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccountError } from "../../lib/account/mod.ts";
import { ChannelError, concat, CryptoError } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  download,
  newSecret,
  PIECE_PLAINTEXT,
  upload,
} from "../../lib/transfer/mod.ts";
import { PIECE_BYTES, pieceLength } from "../../lib/transfer/pieces.ts";
import { AlteringWay, flipped } from "./altering_way.ts";
import type { BareEdit } from "./altering_way.ts";
import {
  fileServer,
  MemorySink,
  noise,
  reserve,
  sourceOf,
  testBlob,
} from "./file_server.ts";
import type { FileServer, TestBlob } from "./file_server.ts";

// Bodies travel bare, so that anybody on the way can alter them; nobody can without being noticed.

/** How often a piece is sent or fetched at most. */
const ATTEMPTS = 5;
const LENGTH = 9 * PIECE_PLAINTEXT + 4_711;

async function reserved(server: FileServer): Promise<[TestBlob, Bytes]> {
  const blob = await testBlob(LENGTH);
  await reserve(server, blob);
  return [blob, noise(LENGTH)];
}

async function send(
  server: FileServer,
  blob: TestBlob,
  bytes: Bytes,
  way = new AlteringWay({}),
): Promise<Bytes> {
  const link = await server.link(way.through);
  try {
    return await upload(link, blob, sourceOf(bytes));
  } finally {
    await link.close();
  }
}

async function fetchInto(
  server: FileServer,
  blob: TestBlob,
  claim: Bytes,
  sink: MemorySink,
  way = new AlteringWay({}),
): Promise<Bytes> {
  const link = await server.link(way.through);
  const { keys } = blob;
  try {
    return await download(link, { keys, claim, from: sink.written }, sink);
  } finally {
    await link.close();
  }
}

/** Fetches all of it by a good way, and looks at it. */
async function checkFetched(
  server: FileServer,
  blob: TestBlob,
  bytes: Bytes,
): Promise<void> {
  const sink = new MemorySink(LENGTH);
  await fetchInto(server, blob, newSecret(), sink);
  assertEquals(sink.bytes, bytes);
}

Deno.test("S0.9: of what is altered on the way up, that piece alone is sent again", async () => {
  await using server = await fileServer();
  const [blob, bytes] = await reserved(server);
  const way = new AlteringWay({
    up: (unit, index) => index === 5 ? flipped(unit) : unit.bytes,
  });
  await send(server, blob, bytes, way);
  assertEquals(way.up, blob.cutting.size + PIECE_BYTES);
  await checkFetched(server, blob, bytes);
  assertEquals(server.failures, []);
});

Deno.test("S0.9: of what is altered on the way down, that piece alone is fetched again", async () => {
  await using server = await fileServer();
  const [blob, bytes] = await reserved(server);
  const sent = await send(server, blob, bytes);
  const way = new AlteringWay({
    down: (unit, index) => index === 5 ? flipped(unit) : unit.bytes,
  });
  const sink = new MemorySink(LENGTH);
  const got = await fetchInto(server, blob, newSecret(), sink, way);
  assertEquals(sink.bytes, bytes);
  assertEquals(got, sent);
  assertEquals(way.down, blob.cutting.size + PIECE_BYTES);
});

Deno.test("S0.9: the last, shorter piece is sent and fetched again as well", async () => {
  await using server = await fileServer();
  const [blob, bytes] = await reserved(server);
  const { cutting } = blob;
  const last = pieceLength(cutting, cutting.count - 1);
  const onlyLast = (): BareEdit => {
    let done = false;
    return (unit) => {
      if (done || unit.bytes.length - 4 !== last) return unit.bytes;
      done = true;
      return flipped(unit);
    };
  };
  const up = new AlteringWay({ up: onlyLast() });
  await send(server, blob, bytes, up);
  assertEquals(up.up, cutting.size + last);
  const down = new AlteringWay({ down: onlyLast() });
  const sink = new MemorySink(LENGTH);
  await fetchInto(server, blob, newSecret(), sink, down);
  assertEquals(sink.bytes, bytes);
  assertEquals(down.down, cutting.size + last);
});

Deno.test("S0.9: what is altered again and again on the way up is refused, and a better way goes on", async () => {
  await using server = await fileServer();
  const [blob, bytes] = await reserved(server);
  const way = new AlteringWay({ up: flipped });
  const error = await assertRejects(
    () => send(server, blob, bytes, way),
    AccountError,
  );
  assertEquals(error.reason, "checksum");
  assert(way.up <= ATTEMPTS * blob.cutting.size, `${way.up} bytes`);
  await send(server, blob, bytes);
  await checkFetched(server, blob, bytes);
  assertEquals(server.failures, []);
});

Deno.test("S0.9: what is altered again and again on the way down is refused, and a better way goes on", async () => {
  await using server = await fileServer();
  const [blob, bytes] = await reserved(server);
  await send(server, blob, bytes);
  const way = new AlteringWay({
    down: (unit, index) => index >= 20 ? flipped(unit) : unit.bytes,
  });
  const claim = newSecret();
  const sink = new MemorySink(LENGTH);
  await assertRejects(
    () => fetchInto(server, blob, claim, sink, way),
    CryptoError,
  );
  assert(way.down <= ATTEMPTS * blob.cutting.size, `${way.down} bytes`);
  // What came before it was good, and is kept.
  assert(sink.written > 0 && sink.written < LENGTH);
  assertEquals(sink.synced, sink.written);
  await fetchInto(server, blob, claim, sink);
  assertEquals(sink.bytes, bytes);
});

/** `bytes` as a bare record. */
function bare(bytes: Bytes): Bytes {
  const record = new Uint8Array(4 + bytes.length);
  new DataView(record.buffer).setUint32(0, 0x8000_0000 + bytes.length);
  record.set(bytes, 4);
  return record;
}

/** What breaks a connection; each at bare record 7. */
const BREAKS: Readonly<Record<string, BareEdit>> = {
  "cut short": ({ bytes }) => bare(bytes.slice(4, -1)),
  "made longer": ({ bytes }) => bare(concat(bytes.slice(4), bytes.slice(4, 9))),
  "dropped": () => new Uint8Array(0),
  "doubled": ({ bytes }) => concat(bytes, bytes),
  "called sealed": ({ bytes }) => {
    const copy = bytes.slice();
    copy[0]! &= 0x7f;
    return copy;
  },
  "called endless": ({ bytes }) => {
    const copy = bytes.slice();
    copy.set([0xff, 0xff, 0xff, 0xff]);
    return copy;
  },
  "empty": () => bare(new Uint8Array(0)),
};

for (const [what, edit] of Object.entries(BREAKS)) {
  Deno.test(`S0.9: a body that is ${what} breaks the connection, and another one goes on`, async () => {
    await using server = await fileServer();
    const [blob, bytes] = await reserved(server);
    const seventh: BareEdit = (unit, index) =>
      index === 7 ? edit(unit, index) : unit.bytes;
    await assertRejects(
      () => send(server, blob, bytes, new AlteringWay({ up: seventh })),
      ChannelError,
    );
    await send(server, blob, bytes);
    const claim = newSecret();
    const sink = new MemorySink(LENGTH);
    await assertRejects(
      () =>
        fetchInto(
          server,
          blob,
          claim,
          sink,
          new AlteringWay({ down: seventh }),
        ),
      ChannelError,
    );
    assert(sink.written < LENGTH);
    await fetchInto(server, blob, claim, sink);
    assertEquals(sink.bytes, bytes);
  });
}

Deno.test("S0.9: whatever bits are turned around on the way, what arrives is what was sent", async () => {
  await using server = await fileServer();
  for (let run = 0; run < 6; run++) {
    const [blob, bytes] = await reserved(server);
    const some: BareEdit = (unit) => {
      const { bytes } = unit;
      if (Math.random() > 0.01) return bytes;
      const copy = bytes.slice();
      const at = 4 + Math.floor(Math.random() * (copy.length - 4));
      copy[at]! ^= 1 << Math.floor(Math.random() * 8);
      return copy;
    };
    await send(server, blob, bytes, new AlteringWay({ up: some }));
    const sink = new MemorySink(LENGTH);
    const way = new AlteringWay({ down: some });
    await fetchInto(server, blob, newSecret(), sink, way);
    assertEquals(sink.bytes, bytes);
  }
  assertEquals(server.failures, []);
});
