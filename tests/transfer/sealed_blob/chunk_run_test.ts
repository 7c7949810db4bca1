import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  concat,
  CryptoError,
  MalformedError,
  randomBytes,
  utf8,
} from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { BlobKey } from "../../../lib/transfer/sealed_blob/blob_key.ts";
import {
  openRun,
  sealRun,
} from "../../../lib/transfer/sealed_blob/chunk_run.ts";
import { NaiveBlob } from "./naive_blob.ts";

const INPUT_KEY = randomBytes(32);
const CONTEXT = utf8("the context of a test");
const SALT = randomBytes(24);
const KEY = await BlobKey.create(INPUT_KEY, CONTEXT, SALT);
const NAIVE = new NaiveBlob(INPUT_KEY, CONTEXT, SALT);
const CHUNK = 16_384;
const SEALED = 16_400;
const PLAIN = randomBytes(3 * CHUNK + 100);
const BLOB = NAIVE.sealAll(PLAIN);

/** Lengths in bytes around the multiples of a chunk, up to five chunks. */
const nearChunks = fc.tuple(
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: -20, max: 20 }),
).map(([chunks, by]) => Math.max(0, chunks * CHUNK + by));

/** The sealed chunks of `BLOB`, each its own. */
function chunksOf(blob: Bytes): Bytes[] {
  const chunks: Bytes[] = [];
  for (let at = 0; at < blob.length; at += SEALED) {
    chunks.push(blob.slice(at, at + SEALED));
  }
  return chunks;
}

/** The first `count` chunks are those of `PLAIN`. */
async function assertOpens(sealed: Bytes, count: number): Promise<void> {
  assertEquals(
    await openRun(KEY, 0, sealed.slice(0, count * SEALED), false),
    PLAIN.slice(0, count * CHUNK),
  );
}

Deno.test("S0.9: sealed run: a plaintext of any length is sealed as by a naive reference, and opens", async () => {
  await fc.assert(
    fc.asyncProperty(nearChunks, async (length) => {
      const plaintext = randomBytes(length);
      const sealed = await sealRun(KEY, 0, plaintext, true);
      assertEquals(sealed, NAIVE.sealAll(plaintext));
      assertEquals(await openRun(KEY, 0, sealed, true), plaintext);
    }),
    { numRuns: 60 },
  );
});

Deno.test("S0.9: sealed run: runs of any number of chunks, side by side, make up the blob", async () => {
  await fc.assert(
    fc.asyncProperty(
      nearChunks,
      fc.integer({ min: 1, max: 4 }),
      async (length, chunks) => {
        const plaintext = randomBytes(length);
        const whole = NAIVE.sealAll(plaintext);
        const runs = Math.floor(length / (chunks * CHUNK)) + 1;
        const sealing = Array.from({ length: runs }, (_, i) => {
          const at = i * chunks * CHUNK;
          const part = plaintext.slice(at, at + chunks * CHUNK);
          return sealRun(KEY, i * chunks, part, i === runs - 1);
        });
        const sealed = await Promise.all(sealing);
        assertEquals(concat(...sealed), whole);
        const opened = await Promise.all(
          sealed.map((run, i) => openRun(KEY, i * chunks, run, i === runs - 1)),
        );
        assertEquals(concat(...opened), plaintext);
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("sealed run: the input is taken when the call is made, views are respected", async () => {
  const around = randomBytes(PLAIN.length + 100);
  around.set(PLAIN, 50);
  const input = around.subarray(50, 50 + PLAIN.length);
  const sealing = sealRun(KEY, 0, input, true);
  around.fill(0);
  assertEquals(await sealing, BLOB);
  const held = concat(utf8("in front"), BLOB, utf8("behind"));
  const opening = openRun(KEY, 0, held.subarray(8, 8 + BLOB.length), true);
  held.fill(0);
  assertEquals(await opening, PLAIN);
});

Deno.test("sealed run: a buffer at hand is written to, as far as the run goes", async () => {
  const space = new Uint8Array(BLOB.length + 10).fill(7);
  const sealed = await sealRun(KEY, 0, PLAIN, true, space.subarray(5));
  assertEquals(sealed, BLOB);
  assert(sealed.buffer === space.buffer && sealed.byteOffset === 5);
  assertEquals(space.slice(0, 5), new Uint8Array(5).fill(7));
  assertEquals(space.slice(-5), new Uint8Array(5).fill(7));
  const opened = await openRun(KEY, 0, sealed, true, space);
  assertEquals(opened, PLAIN);
  assert(opened.buffer === space.buffer && opened.byteOffset === 0);
  const small = (length: number): Bytes => new Uint8Array(length - 1);
  await assertRejects(
    () => sealRun(KEY, 0, PLAIN, true, small(BLOB.length)),
    RangeError,
    `Cannot hold a run: ${BLOB.length} bytes in ${BLOB.length - 1} of space`,
  );
  await assertRejects(
    () => openRun(KEY, 0, BLOB, true, small(PLAIN.length)),
    RangeError,
    `Cannot hold a run: ${PLAIN.length} bytes in ${PLAIN.length - 1} of space`,
  );
});

Deno.test("sealed run: only the last run of a blob has a short chunk", async () => {
  for (const length of [1, CHUNK - 1, CHUNK + 1, 2 * CHUNK - 1]) {
    await assertRejects(
      () => sealRun(KEY, 0, PLAIN.slice(0, length), false),
      RangeError,
      `Cannot seal a run: ${length} bytes are no full chunks`,
    );
  }
  const full = await sealRun(KEY, 0, PLAIN.slice(0, 2 * CHUNK), false);
  assertEquals(full, BLOB.slice(0, 2 * SEALED));
  assertEquals(await openRun(KEY, 0, full, false), PLAIN.slice(0, 2 * CHUNK));
  await assertRejects(() => openRun(KEY, 0, full, true), MalformedError);
  await assertRejects(() => openRun(KEY, 0, BLOB, false), MalformedError);
});

Deno.test("sealed run: a length that cannot be is seen before any chunk is opened", async () => {
  const forged = randomBytes(2 * SEALED + 15);
  for (const length of [2 * SEALED - 1, 2 * SEALED + 1, 2 * SEALED + 15]) {
    await assertRejects(
      () => openRun(KEY, 0, forged.slice(0, length), false),
      MalformedError,
      `Cannot open a run: ${length} bytes are no full chunks`,
    );
  }
  for (const length of [0, 15, SEALED, 2 * SEALED, 2 * SEALED + 15]) {
    await assertRejects(
      () => openRun(KEY, 0, forged.slice(0, length), true),
      MalformedError,
      `Cannot open a sealed blob: ${length} bytes are not its length`,
    );
  }
});

Deno.test("S0.9: sealed run: cut at every chunk and every byte near one it is refused, and the chunks before open", async () => {
  let cuts = 0;
  for (let edge = 0; edge <= 4; edge++) {
    for (let by = -20; by <= 20; by++) {
      const length = edge * SEALED + by;
      if (length < 0 || length >= BLOB.length) continue;
      const part = BLOB.slice(0, length);
      const error = await assertRejects(() => openRun(KEY, 0, part, true));
      const kind = length % SEALED < 16 ? MalformedError : CryptoError;
      assert(error instanceof kind, `${length}: ${error}`);
      await assertOpens(part, Math.floor(length / SEALED));
      cuts++;
    }
  }
  assertEquals(cuts, 21 + 3 * 41);
});

Deno.test("S0.9: sealed run: a flipped bit anywhere spoils its chunk and no other", async () => {
  const bit = fc.integer({ min: 0, max: BLOB.length * 8 - 1 });
  await fc.assert(fc.asyncProperty(bit, async (at) => {
    const altered = BLOB.slice();
    altered[at >> 3]! ^= 1 << (at & 7);
    await assertRejects(() => openRun(KEY, 0, altered, true), CryptoError);
    const bad = Math.floor((at >> 3) / SEALED);
    await assertOpens(altered, bad);
    const behind = altered.slice((bad + 1) * SEALED);
    if (behind.length === 0) return;
    assertEquals(
      await openRun(KEY, bad + 1, behind, true),
      PLAIN.slice((bad + 1) * CHUNK),
    );
  }));
});

Deno.test("S0.9: sealed run: chunks that are swapped, doubled, left out or of another place are refused", async () => {
  const [a, b, c, last] = chunksOf(BLOB) as [Bytes, Bytes, Bytes, Bytes];
  const arrangements: readonly (readonly [number, readonly Bytes[]])[] = [
    [0, [b, a, c, last]],
    [1, [a, c, b, last]],
    [0, [c, b, a, last]],
    [1, [a, a, b, c, last]],
    [2, [a, b, b, last]],
    [1, [a, c, last]],
    [0, [b, c, last]],
    [2, [a, b, last]],
    [0, [last]],
    [3, [a, b, c, concat(last, last)]],
    [3, [a, b, c, concat(last, Uint8Array.of(0))]],
    [3, [a, b, c, a]],
    [3, [a, b, c, a, last]],
  ];
  assertEquals(await openRun(KEY, 0, concat(a, b, c, last), true), PLAIN);
  for (const [good, chunks] of arrangements) {
    const altered = concat(...chunks);
    await assertOpens(altered, good);
    const error = await assertRejects(() => openRun(KEY, 0, altered, true));
    assert(error instanceof CryptoError || error instanceof MalformedError);
  }
});

Deno.test("sealed run: one that was refused writes to its buffer no more", async () => {
  const { subtle } = crypto;
  const decrypt = subtle.decrypt;
  let underWay = 0;
  subtle.decrypt = async (...args: Parameters<typeof decrypt>) => {
    underWay++;
    try {
      const opened = await decrypt.apply(subtle, args);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return opened;
    } finally {
      underWay--;
    }
  };
  try {
    const altered = BLOB.slice();
    altered[0]! ^= 1;
    const space = new Uint8Array(PLAIN.length);
    await assertRejects(
      () => openRun(KEY, 0, altered, true, space),
      CryptoError,
    );
    assertEquals(underWay, 0);
    assertEquals(space.slice(CHUNK), PLAIN.slice(CHUNK));
  } finally {
    Reflect.deleteProperty(subtle, "decrypt");
  }
});

Deno.test("S0.9: sealed run: at another index, or of another blob, it is refused", async () => {
  for (const index of [1, 2, 256, 2 ** 32, 2 ** 38 - 4]) {
    await assertRejects(() => openRun(KEY, index, BLOB, true), CryptoError);
  }
  const salt = randomBytes(24);
  const others = [
    await BlobKey.create(randomBytes(32), CONTEXT, SALT),
    await BlobKey.create(INPUT_KEY, utf8("another"), SALT),
    await BlobKey.create(INPUT_KEY, CONTEXT, salt),
  ];
  for (const other of others) {
    await assertRejects(() => openRun(other, 0, BLOB, true), CryptoError);
    const mixed = concat(
      BLOB.slice(0, SEALED),
      await other.sealChunk(1, PLAIN.slice(0, CHUNK)),
      BLOB.slice(2 * SEALED),
    );
    await assertRejects(() => openRun(KEY, 0, mixed, true), CryptoError);
  }
});

Deno.test("S0.9: sealed run: any bytes whatever are refused with one of two errors", async () => {
  await fc.assert(fc.asyncProperty(
    fc.integer({ min: 0, max: 3 * SEALED }),
    fc.boolean(),
    async (length, last) => {
      if (!last && length % SEALED === 0) return;
      const error = await assertRejects(() =>
        openRun(KEY, 0, randomBytes(length), last)
      );
      assert(error instanceof CryptoError || error instanceof MalformedError);
    },
  ));
});
