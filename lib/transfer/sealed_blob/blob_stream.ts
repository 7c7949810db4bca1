import { randomBytes } from "../../protocol/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { BlobKey } from "./blob_key.ts";
import { openGoodChunks, sealRun } from "./chunk_run.ts";
import type { OpenedRun } from "./chunk_run.ts";
import { PieceReader } from "./piece_reader.ts";
import {
  CHUNK_BYTES,
  HEADER_BYTES,
  SALT_BYTES,
  SEALED_CHUNK_BYTES,
} from "./sizes.ts";

/** Implementation constant: chunks that are worked on at once; as many wait to be taken. */
const RUN_CHUNKS = 16;

/**
 * Seals a whole plaintext: its header comes first, then its sealed chunks in runs. Holds a few
 * hundred KiB, whatever the length of the plaintext is.
 *
 * @param inputKey 32 bytes, uniformly random.
 * @param context what the blob is bound to, of any length.
 * @param pieces of the plaintext, of any size. A piece is not needed any more when the next is asked for.
 * @param salt 24 bytes that no other blob with this input key and context has.
 * @throws {CryptoError} if the input key has another length.
 */
export async function* sealStream(
  inputKey: Bytes,
  context: Bytes,
  pieces: AsyncIterable<Bytes>,
  salt: Bytes = randomBytes(SALT_BYTES),
): AsyncGenerator<Bytes, void, void> {
  const reader = new PieceReader(pieces);
  let running: Promise<Bytes> | undefined;
  try {
    const key = await BlobKey.create(inputKey, context, salt);
    yield key.header;
    let last = false;
    for (let index = 0; !last; index += RUN_CHUNKS) {
      const block = await reader.read(RUN_CHUNKS * CHUNK_BYTES);
      last = block.length < RUN_CHUNKS * CHUNK_BYTES;
      const next = sealRun(key, index, block, last);
      const ready = running;
      running = next;
      if (ready !== undefined) yield await ready;
    }
    if (running !== undefined) yield await running;
  } finally {
    await Promise.allSettled([running]);
    await reader.close();
  }
}

/**
 * Opens a whole blob, header first. What it yields is authentic and in order; that nothing is missing
 * is known only when it has ended without an error. Holds a few hundred KiB, whatever the length is.
 *
 * @param inputKey 32 bytes.
 * @param context what the blob is bound to, of any length.
 * @param pieces of header and sealed chunks, of any size. A piece is not needed any more when the next is asked for.
 * @throws {MalformedError} if the header or the last chunk is cut short.
 * @throws {CryptoError} if key or context are not those of the header, or a chunk is not what was
 * sealed at its index; the chunks before it have come out.
 */
export async function* openStream(
  inputKey: Bytes,
  context: Bytes,
  pieces: AsyncIterable<Bytes>,
): AsyncGenerator<Bytes, void, void> {
  const reader = new PieceReader(pieces);
  let running: Promise<OpenedRun> | undefined;
  try {
    const header = await reader.read(HEADER_BYTES);
    const key = await BlobKey.open(inputKey, context, header);
    let last = false;
    for (let index = 0; !last; index += RUN_CHUNKS) {
      const block = await reader.read(RUN_CHUNKS * SEALED_CHUNK_BYTES);
      last = block.length < RUN_CHUNKS * SEALED_CHUNK_BYTES;
      const next = openGoodChunks(key, index, block, last);
      const ready = running;
      running = next;
      if (ready !== undefined) yield* content(await ready);
    }
    if (running !== undefined) yield* content(await running);
  } finally {
    await running;
    await reader.close();
  }
}

/** What came out of a run, then why no more came. */
function* content({ plaintext, failure }: OpenedRun): Generator<Bytes, void> {
  if (plaintext.length > 0) yield plaintext;
  if (failure !== undefined) throw failure;
}
