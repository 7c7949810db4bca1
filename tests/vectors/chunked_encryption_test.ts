import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { concat, CryptoError, MalformedError } from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { CHUNKS_PER_PIECE } from "../../lib/transfer/pieces.ts";
import { BlobKey } from "../../lib/transfer/sealed_blob/blob_key.ts";
import { deriveBlobSecrets } from "../../lib/transfer/sealed_blob/blob_secrets.ts";
import { openRun, sealRun } from "../../lib/transfer/sealed_blob/chunk_run.ts";
import {
  CHUNK_BYTES,
  HEADER_BYTES,
  plaintextLength,
  SALT_BYTES,
  SEALED_CHUNK_BYTES,
} from "../../lib/transfer/sealed_blob/sizes.ts";
import { testVectors } from "./outside.ts";

interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly key: string;
  readonly ctx: string;
  /** Header and sealed chunks; zlib, in hex. */
  readonly ct: string;
  readonly aeadKey?: string;
  readonly baseNonce?: string;
  /** Of the whole message, or of its longest valid beginning. */
  readonly msgLength?: number;
  readonly msgSha512?: string;
  readonly result: "valid" | "invalid";
  readonly flags: readonly string[];
}

interface Vectors {
  readonly numberOfTests: number;
  readonly testGroups: readonly {
    readonly aead: string;
    readonly sha: string;
    readonly tests: readonly Case[];
  }[];
}

/** What a case says, unpacked. */
interface Subject {
  readonly vector: Case;
  readonly inputKey: Bytes;
  readonly context: Bytes;
  readonly blob: Bytes;
}

const CASES = 18;
const FILE = {
  file: "c2sp-chunked-encryption-aes-256-gcm.json",
  sha256: "e0956b2b1e9ccd3391cc7b67e5030eeca72fe50428edd2cc99cd9656ea0cc397",
  source:
    "C2SP/wycheproof, testvectors_v1/c2sp_chunked_encryption_aes_256_gcm_test.json, the cases with an odd tcId",
};

const hex = (text: string): Bytes => Uint8Array.fromHex(text);

async function subjects(content: Vectors): Promise<Subject[]> {
  assertEquals(content.numberOfTests, CASES);
  assertEquals(content.testGroups.length, 1);
  const { aead, sha, tests } = content.testGroups[0]!;
  assertEquals([aead, sha], ["AEAD_AES_256_GCM", "SHA-512"]);
  assertEquals(tests.length, CASES);
  return await Promise.all(tests.map(async (vector) => {
    const stream = new Blob([hex(vector.ct)]).stream()
      .pipeThrough(new DecompressionStream("deflate"));
    return {
      vector,
      inputKey: hex(vector.key),
      context: hex(vector.ctx),
      blob: new Uint8Array(await new Response(stream).arrayBuffer()),
    };
  }));
}

/** The plaintext is the one that the case describes by length and hash, empty if by nothing. */
async function assertMessage(plaintext: Bytes, vector: Case): Promise<void> {
  assertEquals(plaintext.length, vector.msgLength ?? 0);
  if (vector.msgSha512 === undefined) return;
  const hash = await crypto.subtle.digest("SHA-512", plaintext);
  assertEquals(new Uint8Array(hash).toHex(), vector.msgSha512);
}

function isRefusal(error: unknown): void {
  const refused = error instanceof CryptoError ||
    error instanceof MalformedError;
  assert(refused, `${error}`);
}

/**
 * Opens one run behind the other, as pieces of a transfer come.
 *
 * @param sizes of the runs, in chunks.
 */
async function assertRuns(
  { vector, inputKey, context, blob }: Subject,
  sizes: () => number,
): Promise<void> {
  if (vector.flags.includes("HeaderFailure")) return;
  const header = blob.slice(0, HEADER_BYTES);
  const key = await BlobKey.open(inputKey, context, header);
  const sealed = blob.subarray(HEADER_BYTES);
  const out: Bytes[] = [];
  let failure: unknown;
  let last = false;
  for (let index = 0; !last && failure === undefined;) {
    const chunks = sizes();
    const run = sealed.subarray(
      index * SEALED_CHUNK_BYTES,
      (index + chunks) * SEALED_CHUNK_BYTES,
    );
    last = run.length < chunks * SEALED_CHUNK_BYTES;
    try {
      out.push(await openRun(key, index, run, last));
    } catch (error) {
      failure = error;
    }
    index += chunks;
  }
  const plaintext = concat(...out);
  assertEquals(failure === undefined, vector.result === "valid");
  if (failure === undefined) return await assertMessage(plaintext, vector);
  isRefusal(failure);
  assert(plaintext.length <= (vector.msgLength ?? 0));
}

testVectors<Vectors>(
  FILE,
  "S0.9: chunked encryption: every outside vector, opened whole",
  async (content) => {
    for (const { vector, inputKey, context, blob } of await subjects(content)) {
      const [header, sealed] = [
        blob.subarray(0, HEADER_BYTES),
        blob.subarray(HEADER_BYTES),
      ];
      if (vector.flags.includes("HeaderFailure")) {
        isRefusal(
          await assertRejects(() => BlobKey.open(inputKey, context, header)),
        );
        continue;
      }
      const key = await BlobKey.open(inputKey, context, header);
      assertEquals(key.header, header);
      if (vector.result === "valid") {
        await assertMessage(await openRun(key, 0, sealed, true), vector);
        assertEquals(plaintextLength(sealed.length), vector.msgLength);
      } else {
        isRefusal(await assertRejects(() => openRun(key, 0, sealed, true)));
      }
    }
  },
);

testVectors<Vectors>(
  FILE,
  "S0.9: chunked encryption: the secrets derived are those of every outside vector",
  async (content) => {
    let seen = 0;
    for (const { vector, inputKey, context, blob } of await subjects(content)) {
      if (vector.aeadKey === undefined) continue;
      const { key, baseNonce, commitment } = await deriveBlobSecrets(
        inputKey,
        context,
        blob.slice(0, SALT_BYTES),
      );
      assertEquals(key.toHex(), vector.aeadKey);
      assertEquals(baseNonce.toHex(), vector.baseNonce);
      assertEquals(commitment, blob.slice(SALT_BYTES, HEADER_BYTES));
      seen++;
    }
    assertEquals(seen, 13);
  },
);

testVectors<Vectors>(
  FILE,
  "S0.9: chunked encryption: every outside vector, in runs of any length",
  async (content) => {
    for (const subject of await subjects(content)) {
      await assertRuns(subject, () => CHUNKS_PER_PIECE);
      await fc.assert(
        fc.asyncProperty(
          fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
          (sizes) => assertRuns(subject, () => sizes.next().value),
        ),
        { numRuns: 5 },
      );
    }
  },
);

testVectors<Vectors>(
  FILE,
  "S0.9: chunked encryption: every outside vector, each chunk alone, last one first",
  async (content) => {
    for (const { vector, inputKey, context, blob } of await subjects(content)) {
      if (vector.flags.includes("HeaderFailure")) continue;
      const header = blob.slice(0, HEADER_BYTES);
      const key = await BlobKey.open(inputKey, context, header);
      const chunks = Math.floor(
        (blob.length - HEADER_BYTES) / SEALED_CHUNK_BYTES,
      );
      const opened: (Bytes | undefined)[] = [];
      for (let k = chunks; k >= 0; k--) {
        const at = HEADER_BYTES + k * SEALED_CHUNK_BYTES;
        const sealed = blob.subarray(at, at + SEALED_CHUNK_BYTES);
        const last = k === chunks;
        opened[k] = await key.openChunk(k, sealed, last).catch((error) => {
          isRefusal(error);
          return undefined;
        });
        await assertRejects(
          () => key.openChunk(k, sealed, !last),
          MalformedError,
        );
      }
      assertEquals(
        opened.every((chunk) => chunk !== undefined),
        vector.result === "valid",
      );
      assertEquals(
        opened.at(-1) !== undefined,
        vector.result === "valid" || vector.flags.includes("ValidFinalChunk"),
      );
      const bad = opened.findIndex((chunk) => chunk === undefined);
      const good = opened.slice(0, bad < 0 ? opened.length : bad) as Bytes[];
      await assertMessage(concat(...good), vector);
    }
  },
);

testVectors<Vectors>(
  FILE,
  "S0.9: chunked encryption: what opens of a valid vector seals to its bytes again",
  async (content) => {
    let seen = 0;
    for (const { vector, inputKey, context, blob } of await subjects(content)) {
      if (vector.result !== "valid") continue;
      const header = blob.slice(0, HEADER_BYTES);
      const sealed = blob.slice(HEADER_BYTES);
      const key = await BlobKey.open(inputKey, context, header);
      const plaintext = await openRun(key, 0, sealed, true);
      assertEquals(await sealRun(key, 0, plaintext, true), sealed);
      const salt = header.slice(0, SALT_BYTES);
      const again = await BlobKey.create(inputKey, context, salt);
      assertEquals(again.header, header);
      const runs: Bytes[] = [];
      const last = Math.floor(plaintext.length / CHUNK_BYTES);
      for (let k = 0; k <= last; k++) {
        const chunk = plaintext.slice(k * CHUNK_BYTES, (k + 1) * CHUNK_BYTES);
        runs.push(await sealRun(again, k, chunk, k === last));
      }
      assertEquals(concat(...runs), sealed);
      seen++;
    }
    assertEquals(seen, 5);
  },
);
