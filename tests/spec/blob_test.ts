import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BlobKey, blobKeys, sealedLength } from "../../lib/transfer/mod.ts";
import {
  cutting,
  encodeArrived,
  encodePieces,
  missingPieces,
  pieceLength,
} from "../../lib/transfer/pieces.ts";
import { openRun, sealRun } from "../../lib/transfer/sealed_blob/chunk_run.ts";
import {
  arrivedPieces,
  blobKeysOf,
  blobSize,
  openBlob,
  pieceNumbers,
  piecesOf,
  sealBlob,
} from "./naive_blob.ts";
import { join, random } from "./naive_primitives.ts";

/** Lengths of plaintexts, with those around every border of chunks and pieces. */
const lengths = fc.oneof(
  fc.constantFrom(0, 1, 16_383, 16_384, 16_385, 524_287, 524_288, 524_289),
  fc.nat(1_200_000),
);

Deno.test("SPEC.md §10.1: keys of a secret are those of the text", async () => {
  for (let i = 0; i < 20; i++) {
    const secret = random(32);
    const { readCapability, id, inputKey, context } = blobKeysOf(secret);
    assertEquals(await blobKeys(secret), {
      readCapability,
      id,
      inputKey,
      context,
    });
  }
});

Deno.test("SPEC.md §10.2: a sealed blob is that of the text, byte for byte, and each opens the other's", async () => {
  await fc.assert(
    fc.asyncProperty(lengths, async (length) => {
      const keys = blobKeysOf(random(32));
      const plaintext = random(length);
      const key = await BlobKey.create(keys.inputKey, keys.context);
      const sealed = await sealRun(key, 0, plaintext, true);
      const salt = key.header.slice(0, 24);
      const naive = sealBlob(keys, plaintext, salt);
      assertEquals(naive, { header: key.header, sealed });
      assertEquals(openBlob(keys, { header: key.header, sealed }), plaintext);
      const opening = await BlobKey.open(
        keys.inputKey,
        keys.context,
        naive.header,
      );
      assertEquals(await openRun(opening, 0, naive.sealed, true), plaintext);
      assertEquals(sealed.length, blobSize(length));
      assertEquals(sealedLength(length), blobSize(length));
    }),
    { numRuns: 30 },
  );
});

Deno.test("SPEC.md §10.2: what is cut, swapped or under another header opens on neither side", async () => {
  const keys = blobKeysOf(random(32));
  const blob = sealBlob(keys, random(40_000));
  const { header, sealed } = blob;
  const [first, second, last] = [
    sealed.slice(0, 16_400),
    sealed.slice(16_400, 32_800),
    sealed.slice(32_800),
  ];
  const bad = [
    { header, sealed: join(first, second) },
    { header, sealed: join(first, last) },
    { header, sealed: join(second, first, last) },
    { header, sealed: sealed.with(20_000, sealed[20_000]! ^ 1) },
    { header, sealed: join(sealed, random(1)) },
    { header, sealed: sealed.slice(0, -1) },
    { header: header.with(55, header[55]! ^ 1), sealed },
    { header: header.with(0, header[0]! ^ 1), sealed },
  ];
  for (const each of bad) {
    assertThrows(() => openBlob(keys, each));
    await assertRejects(async () => {
      const { inputKey, context } = keys;
      const key = await BlobKey.open(inputKey, context, each.header);
      await openRun(key, 0, each.sealed, true);
    });
  }
  assertThrows(() => openBlob(blobKeysOf(random(32)), blob));
});

Deno.test("SPEC.md §10.3: pieces are cut, counted and named as in the text", () => {
  fc.assert(
    fc.property(lengths, (length) => {
      const pieces = piecesOf(new Uint8Array(blobSize(length)));
      const cut = cutting(blobSize(length));
      assertEquals(cut.count, pieces.length);
      for (const [i, piece] of pieces.entries()) {
        assertEquals(pieceLength(cut, i), piece.length);
      }
    }),
    { numRuns: 30 },
  );
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 40 }), (there) => {
      const arrived = encodeArrived((i) => there[i]!, there.length);
      const numbers = arrivedPieces(arrived);
      assertEquals(
        numbers,
        there.flatMap((each, i) => each ? [i] : []),
      );
      assertEquals(
        missingPieces(arrived, there.length),
        there.flatMap((each, i) => each ? [] : [i]),
      );
      assertEquals(pieceNumbers(encodePieces(numbers)), numbers);
    }),
  );
});
