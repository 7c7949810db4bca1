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
import {
  openStream,
  sealStream,
} from "../../../lib/transfer/sealed_blob/blob_stream.ts";
import { NaiveBlob } from "./naive_blob.ts";

const KEY = randomBytes(32);
const CONTEXT = utf8("the context of a test");
const SALT = randomBytes(24);
const NAIVE = new NaiveBlob(KEY, CONTEXT, SALT);
const CHUNK = 16_384;
const RUN = 16 * CHUNK;
const SOURCE = randomBytes(3 * RUN + CHUNK);

/** Pieces of one buffer that is used again for each, as a reader of files would. */
async function* cut(
  bytes: Bytes,
  sizes: Iterator<number>,
): AsyncGenerator<Bytes, void> {
  const buffer = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length;) {
    const part = bytes.subarray(at, at + sizes.next().value!);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
    buffer.fill(0);
    at += part.length;
  }
}

function* always(size: number): Generator<number, never> {
  while (true) yield size;
}

async function whole(stream: AsyncIterable<Bytes>): Promise<Bytes> {
  return concat(...await Array.fromAsync(stream));
}

function naive(length: number): Bytes {
  return concat(NAIVE.header, NAIVE.sealAll(SOURCE.subarray(0, length)));
}

/** What came out before the error, and the error. */
async function failing(
  pieces: AsyncIterable<Bytes>,
): Promise<[Bytes, unknown]> {
  const out: Bytes[] = [];
  try {
    for await (const part of openStream(KEY, CONTEXT, pieces)) out.push(part);
  } catch (error) {
    return [concat(...out), error];
  }
  throw new Error("Cannot go on: it opened");
}

/**
 * Counts the calls to the platform's cipher until it is disposed of; those of the second run and of
 * later ones take longer.
 */
function countCalls(): Disposable & { made: number; underWay: number } {
  const { subtle } = crypto;
  const calls = {
    made: 0,
    underWay: 0,
    [Symbol.dispose]() {
      for (const name of ["encrypt", "decrypt"] as const) {
        Reflect.deleteProperty(subtle, name);
      }
    },
  };
  for (const name of ["encrypt", "decrypt"] as const) {
    const original = subtle[name];
    subtle[name] = async (...args: Parameters<typeof original>) => {
      const second = calls.made++ >= 16;
      calls.underWay++;
      try {
        const result = await original.apply(subtle, args);
        if (second) await new Promise((resolve) => setTimeout(resolve, 5));
        return result;
      } finally {
        calls.underWay--;
      }
    };
  }
  return calls;
}

for (
  const length of [
    0,
    1,
    CHUNK - 1,
    CHUNK,
    CHUNK + 1,
    RUN - 1,
    RUN,
    RUN + 1,
    2 * RUN,
    3 * RUN + 5,
  ]
) {
  Deno.test(`S0.9: sealed stream: ${length} bytes, sealed as by a naive reference, and opened`, async () => {
    for (const size of [1_000, CHUNK, 65_536, 10 * RUN]) {
      const pieces = cut(SOURCE.slice(0, length), always(size));
      const sealed = await whole(sealStream(KEY, CONTEXT, pieces, SALT));
      assertEquals(sealed, naive(length));
      const back = cut(sealed, always(size));
      assertEquals(
        await whole(openStream(KEY, CONTEXT, back)),
        SOURCE.slice(0, length),
      );
    }
  });
}

Deno.test("S0.9: sealed stream: any length near a chunk, cut anyhow, empty pieces among them", async () => {
  const length = fc.tuple(
    fc.integer({ min: 0, max: 34 }),
    fc.integer({ min: -20, max: 20 }),
  ).map(([chunks, by]) => Math.max(0, chunks * CHUNK + by));
  const sizes = fc.infiniteStream(
    fc.oneof(
      fc.integer({ min: 0, max: 200_000 }),
      fc.constantFrom(1, CHUNK, CHUNK + 16, RUN, RUN + 256),
    ),
  );
  await fc.assert(
    fc.asyncProperty(length, sizes, async (plain, stream) => {
      const pieces = cut(SOURCE.slice(0, plain), stream);
      const sealed = await whole(sealStream(KEY, CONTEXT, pieces, SALT));
      assertEquals(sealed, naive(plain));
      const opened = await whole(
        openStream(KEY, CONTEXT, cut(sealed, stream)),
      );
      assertEquals(opened, SOURCE.slice(0, plain));
    }),
    { numRuns: 30 },
  );
});

Deno.test("S0.9: sealed stream: cut near every chunk it fails once, with all that was good before", async () => {
  const blob = naive(2 * CHUNK + 100);
  const plain = SOURCE.slice(0, 2 * CHUNK + 100);
  const edges = [0, 24, 56, 56 + 16_400, 56 + 2 * 16_400, blob.length];
  let cuts = 0;
  for (const edge of edges) {
    for (let length = edge - 17; length <= edge + 17; length++) {
      if (length < 0 || length >= blob.length) continue;
      const [out, error] = await failing(
        cut(blob.slice(0, length), always(10_000)),
      );
      const chunks = Math.max(0, Math.floor((length - 56) / 16_400));
      assertEquals(out, plain.slice(0, chunks * CHUNK));
      const short = length < 56 || (length - 56) % 16_400 < 16;
      assert(error instanceof (short ? MalformedError : CryptoError));
      cuts++;
    }
  }
  assertEquals(cuts, 18 + 4 * 35 + 17);
});

Deno.test("S0.9: sealed stream: a flipped bit lets out what stands before it, in any run, and no more", async () => {
  const blob = naive(SOURCE.length);
  const bit = fc.integer({ min: 56 * 8, max: blob.length * 8 - 1 });
  await fc.assert(
    fc.asyncProperty(bit, async (at) => {
      const altered = blob.slice();
      altered[at >> 3]! ^= 1 << (at & 7);
      const [out, error] = await failing(cut(altered, always(100_000)));
      assert(error instanceof CryptoError);
      const good = Math.floor(((at >> 3) - 56) / 16_400) * CHUNK;
      assertEquals(out, SOURCE.slice(0, good));
    }),
    { numRuns: 20 },
  );
});

Deno.test("S0.9: sealed stream: bytes behind the last chunk are refused, a second blob too", async () => {
  const blob = naive(CHUNK + 7);
  const good = SOURCE.slice(0, CHUNK);
  for (const behind of [new Uint8Array(1), new Uint8Array(16_400), blob]) {
    const [out, error] = await failing(
      cut(concat(blob, behind), always(5_000)),
    );
    assertEquals(out, good);
    assert(error instanceof CryptoError);
  }
});

Deno.test("S0.9: sealed stream: another key or context is refused before a byte comes out", async () => {
  const blob = naive(100);
  const others: readonly [Bytes, Bytes][] = [
    [randomBytes(32), CONTEXT],
    [KEY, utf8("another")],
    [KEY.slice(1), CONTEXT],
  ];
  for (const [key, context] of others) {
    const stream = openStream(key, context, cut(blob, always(1_000)));
    await assertRejects(() => stream.next(), CryptoError);
  }
});

Deno.test("sealed stream: an error of the source is the error of the stream", async () => {
  async function* broken(): AsyncGenerator<Bytes, void> {
    yield naive(SOURCE.length).slice(0, 700_000);
    throw new Error("the disk is gone");
  }
  await assertRejects(
    () => whole(openStream(KEY, CONTEXT, broken())),
    Error,
    "the disk is gone",
  );
  await assertRejects(
    () => whole(sealStream(KEY, CONTEXT, broken())),
    Error,
    "the disk is gone",
  );
});

for (const stream of [sealStream, openStream]) {
  Deno.test(`${stream.name}: whoever stops early also stops the source, and nothing stays under way`, async () => {
    let closed = false;
    let given = 0;
    async function* endless(): AsyncGenerator<Bytes, void> {
      try {
        yield NAIVE.header;
        const sealed = NAIVE.sealAll(SOURCE);
        for (let at = 0; true; at += 65_536) {
          given = at;
          yield sealed.slice(at, at + 65_536);
        }
      } finally {
        closed = true;
      }
    }
    using calls = countCalls();
    for await (const part of stream(KEY, CONTEXT, endless())) {
      if (part.length > 56) break;
    }
    assert(closed);
    assert(calls.made >= 32);
    assertEquals(calls.underWay, 0);
    assert(given > 0 && given < 3 * RUN, "it read far ahead");
  });
}

Deno.test("sealed stream: without a salt every blob has another header", async () => {
  const [a, b] = [
    await whole(sealStream(KEY, CONTEXT, cut(SOURCE, always(RUN)))),
    await whole(sealStream(KEY, CONTEXT, cut(SOURCE, always(RUN)))),
  ];
  assert(a.slice(0, 24).toHex() !== b.slice(0, 24).toHex());
  assertEquals(
    await whole(openStream(KEY, CONTEXT, cut(b, always(RUN)))),
    SOURCE,
  );
});
