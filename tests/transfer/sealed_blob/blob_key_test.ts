import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import fc from "fast-check";
import {
  CryptoError,
  MalformedError,
  randomBytes,
  utf8,
} from "../../../lib/protocol/mod.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import { BlobKey } from "../../../lib/transfer/sealed_blob/blob_key.ts";
import { NaiveBlob } from "./naive_blob.ts";

const KEY = randomBytes(32);
const CONTEXT = utf8("the context of a test");
const FULL = randomBytes(16_384);

Deno.test("S0.9: sealed blob: header and chunks are those of a naive reference, at every width of index", async () => {
  const salt = randomBytes(24);
  const blob = await BlobKey.create(KEY, CONTEXT, salt);
  const naive = new NaiveBlob(KEY, CONTEXT, salt);
  assertEquals(blob.header, naive.header);
  const indices = [0, 1, 255, 256, 65_535, 65_536, 2 ** 24, 2 ** 31, 2 ** 32];
  for (const index of [...indices, 2 ** 32 + 1, 2 ** 38 - 1]) {
    for (const plaintext of [FULL, FULL.slice(1), new Uint8Array(0)]) {
      const sealed = await blob.sealChunk(index, plaintext);
      assertEquals(sealed, naive.sealChunk(index, plaintext));
      const last = plaintext.length < FULL.length;
      assertEquals(await blob.openChunk(index, sealed, last), plaintext);
    }
  }
});

Deno.test("S0.9: sealed blob: any key, context and salt give the header of a naive reference", async () => {
  const bytes = (minLength: number, maxLength: number) =>
    fc.uint8Array({ minLength, maxLength }).map((b) => new Uint8Array(b));
  await fc.assert(
    fc.asyncProperty(
      bytes(32, 32),
      bytes(0, 300),
      bytes(24, 24),
      async (key, context, salt) => {
        const { header } = await BlobKey.create(key, context, salt);
        assertEquals(header, new NaiveBlob(key, context, salt).header);
        const opened = await BlobKey.open(key, context, header);
        assertEquals(opened.header, header);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("S0.9: sealed blob: every flipped bit of the header is refused, before any chunk", async () => {
  const { header } = await BlobKey.create(KEY, CONTEXT);
  await BlobKey.open(KEY, CONTEXT, header);
  for (let bit = 0; bit < header.length * 8; bit++) {
    const altered = header.slice();
    altered[bit >> 3]! ^= 1 << (bit & 7);
    await assertRejects(
      () => BlobKey.open(KEY, CONTEXT, altered),
      CryptoError,
      "Cannot open a sealed blob: its header is for another key or context",
    );
  }
});

Deno.test("S0.9: sealed blob: a header of any other length is refused", async () => {
  const { header } = await BlobKey.create(KEY, CONTEXT);
  for (let length = 0; length < header.length; length++) {
    await assertRejects(
      () => BlobKey.open(KEY, CONTEXT, header.slice(0, length)),
      MalformedError,
    );
  }
  const longer = new Uint8Array(57);
  longer.set(header);
  await assertRejects(
    () => BlobKey.open(KEY, CONTEXT, longer),
    MalformedError,
    "Cannot open a sealed blob: its header has 57 bytes, not 56",
  );
});

Deno.test("S0.9: sealed blob: every bit of the key counts, and so does the context", async () => {
  const { header } = await BlobKey.create(KEY, CONTEXT);
  for (let bit = 0; bit < 256; bit++) {
    const altered = KEY.slice();
    altered[bit >> 3]! ^= 1 << (bit & 7);
    await assertRejects(
      () => BlobKey.open(altered, CONTEXT, header),
      CryptoError,
    );
  }
  const others = ["", "the context of a tes", "the context of a test\0", "x"];
  for (const context of others) {
    await assertRejects(
      () => BlobKey.open(KEY, utf8(context), header),
      CryptoError,
    );
  }
});

Deno.test("S0.9: sealed blob: an input key of another length is refused, even with a header made for it", async () => {
  const salt = randomBytes(24);
  for (const length of [0, 16, 31, 33, 64]) {
    const key = randomBytes(length);
    await assertRejects(() => BlobKey.create(key, CONTEXT), CryptoError);
    const { header } = new NaiveBlob(key, CONTEXT, salt);
    await assertRejects(
      () => BlobKey.open(key, CONTEXT, header),
      CryptoError,
      `the input key has ${length} bytes, not 32`,
    );
  }
});

Deno.test("sealed blob: a salt of another length is refused; without one it is random", async () => {
  for (const length of [0, 23, 25, 32]) {
    await assertRejects(
      () => BlobKey.create(KEY, CONTEXT, new Uint8Array(length)),
      RangeError,
    );
  }
  const [a, b] = [
    await BlobKey.create(KEY, CONTEXT),
    await BlobKey.create(KEY, CONTEXT),
  ];
  assertNotEquals(a.header.slice(0, 24), b.header.slice(0, 24));
  assertNotEquals(a.header.slice(24), b.header.slice(24));
  const sealed = await a.sealChunk(0, FULL);
  await assertRejects(() => b.openChunk(0, sealed, false), CryptoError);
});

Deno.test("sealed blob: salt and header are taken when the call is made", async () => {
  const salt = randomBytes(24);
  const expected = new NaiveBlob(KEY, CONTEXT, salt).header;
  const creating = BlobKey.create(KEY, CONTEXT, salt);
  salt.fill(0);
  const { header } = await creating;
  assertEquals(header, expected);
  const handed = header.slice();
  const opening = BlobKey.open(KEY, CONTEXT, handed);
  handed.fill(0);
  assertEquals((await opening).header, expected);
});

Deno.test("S0.9: sealed blob: every flipped bit and every cut of a chunk is refused", async () => {
  const blob = await BlobKey.create(KEY, CONTEXT);
  const sealed = await blob.sealChunk(5, utf8("a short chunk"));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const altered = sealed.slice();
    altered[bit >> 3]! ^= 1 << (bit & 7);
    await assertRejects(() => blob.openChunk(5, altered, true), CryptoError);
  }
  for (let length = 0; length < sealed.length; length++) {
    const error = await assertRejects(() =>
      blob.openChunk(5, sealed.slice(0, length), true)
    );
    assert(
      length < 16 ? error instanceof MalformedError : error instanceof
        CryptoError,
    );
  }
});

Deno.test("S0.9: sealed blob: a chunk opens at its own index only", async () => {
  const blob = await BlobKey.create(KEY, CONTEXT);
  const indices = [0, 1, 2, 256, 2 ** 32, 2 ** 32 + 1];
  for (const at of indices) {
    const sealed = await blob.sealChunk(at, FULL);
    for (const index of indices) {
      if (index === at) continue;
      await assertRejects(
        () => blob.openChunk(index, sealed, false),
        CryptoError,
      );
    }
  }
});

Deno.test("S0.9: sealed blob: a full chunk is never the last, a short one always", async () => {
  const blob = await BlobKey.create(KEY, CONTEXT);
  const cases: readonly (readonly [Bytes, boolean])[] = [
    [new Uint8Array(0), true],
    [FULL.slice(0, 1), true],
    [FULL.slice(1), true],
    [FULL, false],
  ];
  for (const [plaintext, last] of cases) {
    const sealed = await blob.sealChunk(0, plaintext);
    assertEquals(await blob.openChunk(0, sealed, last), plaintext);
    await assertRejects(() => blob.openChunk(0, sealed, !last), MalformedError);
  }
  const long = new NaiveBlob(KEY, CONTEXT, blob.header.slice(0, 24))
    .sealChunk(0, randomBytes(16_385));
  for (const last of [false, true]) {
    await assertRejects(() => blob.openChunk(0, long, last), MalformedError);
  }
  await assertRejects(() => blob.sealChunk(0, randomBytes(16_385)), RangeError);
});

for (const index of [-1, 0.5, NaN, 2 ** 38, 2 ** 53]) {
  Deno.test(`sealed blob: there is no chunk ${index}`, async () => {
    const blob = await BlobKey.create(KEY, CONTEXT);
    await assertRejects(() => blob.sealChunk(index, FULL), RangeError);
    await assertRejects(
      () => blob.openChunk(index, new Uint8Array(16_400), false),
      RangeError,
    );
  });
}
