import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import {
  AEAD_TAG_BYTES,
  concat,
  CryptoError,
  MalformedError,
} from "../../lib/protocol/mod.ts";
import type { Bytes } from "../../lib/protocol/mod.ts";
import { BlobKey } from "../../lib/transfer/sealed_blob/blob_key.ts";
import { deriveBlobSecrets } from "../../lib/transfer/sealed_blob/blob_secrets.ts";
import {
  openStream,
  sealStream,
} from "../../lib/transfer/sealed_blob/blob_stream.ts";
import {
  openGoodChunks,
  openRun,
  sealRun,
} from "../../lib/transfer/sealed_blob/chunk_run.ts";
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

async function* cut(
  bytes: Bytes,
  sizes: () => number,
): AsyncGenerator<Bytes, void> {
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + sizes());
    yield bytes.slice(at, end);
    at = end;
  }
}

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

async function assertStream(
  { vector, inputKey, context, blob }: Subject,
  sizes: () => number,
): Promise<void> {
  const out: Bytes[] = [];
  const stream = openStream(inputKey, context, cut(blob, sizes));
  let failure: unknown;
  try {
    for await (const part of stream) out.push(part);
  } catch (error) {
    failure = error;
  }
  assertEquals(failure === undefined, vector.result === "valid");
  if (failure !== undefined) isRefusal(failure);
  assertEquals(await stream.next(), { done: true, value: undefined });
  await assertMessage(concat(...out), vector);
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
      const { plaintext, failure } = await openGoodChunks(key, 0, sealed, true);
      await assertMessage(plaintext, vector);
      if (vector.result === "valid") {
        assertEquals(failure, undefined);
        assertEquals(await openRun(key, 0, sealed, true), plaintext);
        assertEquals(plaintextLength(sealed.length), vector.msgLength);
      } else {
        isRefusal(failure);
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
  "S0.9: chunked encryption: every outside vector, streamed in random pieces",
  async (content) => {
    for (const subject of await subjects(content)) {
      await fc.assert(
        fc.asyncProperty(
          fc.infiniteStream(fc.integer({ min: 1, max: 60_000 })),
          (sizes) => assertStream(subject, () => sizes.next().value),
        ),
        { numRuns: 5 },
      );
    }
  },
);

testVectors<Vectors>(
  FILE,
  "S0.9: chunked encryption: every outside vector, byte by byte",
  async (content) => {
    for (const subject of await subjects(content)) {
      await assertStream(subject, () => 1);
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
      const out = await Array.fromAsync(
        sealStream(
          inputKey,
          context,
          cut(plaintext, () => CHUNK_BYTES + AEAD_TAG_BYTES + 1),
          header.slice(0, SALT_BYTES),
        ),
      );
      assertEquals(concat(...out), blob);
      seen++;
    }
    assertEquals(seen, 5);
  },
);
