import type { Bytes, CommandChannel, Message } from "../protocol/mod.ts";
import {
  ChannelError,
  CommandWriter,
  equalConstantTime,
  HASH_BYTES,
  MalformedError,
  RECORD_LIMIT,
  sha256,
} from "../protocol/mod.ts";
import {
  AccountError,
  DATA_LENGTH,
  KO,
  MAX_PACKET,
  OK,
  VERIFICATION_SHA256,
} from "../account/mod.ts";
import { ask, cut, refusal } from "./client_link.ts";
import {
  ARRIVED,
  BLOB_DIGEST,
  BLOB_ID,
  COMPLETE,
  PIECE,
  PIECES,
  PUT,
  READY,
  UPLOAD,
  WRITE_CAPABILITY,
} from "./commands.ts";
import { KeepAlive } from "./keep_alive.ts";
import type { Cutting } from "./pieces.ts";
import {
  CHUNKS_PER_PIECE,
  missingPieces,
  parsePieces,
  PIECE_BYTES,
  PIECE_PLAINTEXT,
  pieceLength,
} from "./pieces.ts";
import type { BlobKey } from "./sealed_blob/blob_key.ts";
import { sealRun } from "./sealed_blob/chunk_run.ts";

const ACTION = "send the file";
const STOPPED = "Cannot send more: it is over";
/** Pieces that are read, sealed and hashed at once. */
const PREPARING = 2;
/** Pieces that may be without an answer: 16 MiB. */
const WINDOW = 32;
/** How often a piece is sent that does not arrive whole. */
const ATTEMPTS = 5;

/** What is sent: bytes that stay the same while they are read. */
export interface ByteSource {
  /** Its length in bytes. */
  readonly length: number;
  /** `length` bytes from `offset` on. */
  read(offset: number, length: number): Promise<Bytes>;
}

/** Waits until so many more bytes may be sent. */
export interface Pacing {
  /** Resolves when `bytes` more may be sent; rejects when `signal` fires before. */
  take(bytes: number, signal?: AbortSignal): Promise<void>;
}

/** How a blob is sent. */
export interface UploadOptions {
  /** Holds the upload to a rate. */
  readonly pace?: Pacing;
  /** Told how many sealed bytes are on the server's disk, each time that it says so. */
  readonly onStored?: (bytes: number) => void;
}

/** A blob as its writer knows it. */
export interface WritableBlob {
  /** By which the server knows it, 32 bytes. */
  readonly id: Bytes;
  /** Shown to the server by whoever writes, 32 bytes. */
  readonly writeCapability: Bytes;
  /** By which it is sealed. */
  readonly key: BlobKey;
  /** How it is cut. */
  readonly cutting: Cutting;
}

/**
 * Sends the pieces of a blob that the server does not have, many at a time in any order; those that
 * do not arrive whole are sent again, and no others (S0.9). Resolves when all are on its disk.
 *
 * @returns the digest of the blob, 32 bytes.
 * @throws {AccountError} if the server refuses: "spool-full" if it has no room.
 * @throws {ChannelError} if the connection fails: on another one it goes on where it was.
 */
export async function upload(
  link: CommandChannel,
  blob: WritableBlob,
  source: ByteSource,
  options: UploadOptions = {},
): Promise<Bytes> {
  const ready = await ask(
    link,
    new CommandWriter().set(BLOB_ID, blob.id)
      .set(WRITE_CAPABILITY, blob.writeCapability)
      .set(MAX_PACKET, RECORD_LIMIT).verb(UPLOAD).done(),
    READY,
    ACTION,
  );
  const missing = missingPieces(ready.need(ARRIVED), blob.cutting.count);
  return await new Upload(link, blob, source, options, missing).run();
}

class Upload {
  readonly #link: CommandChannel;
  readonly #blob: WritableBlob;
  readonly #source: ByteSource;
  readonly #options: UploadOptions;
  /** Numbers of the pieces to send, the next one last. */
  readonly #queue: number[];
  /** How often those were sent that have no OK yet. */
  readonly #sent = new Map<number, number>();
  readonly #unanswered = new Set<number>();
  #stored = 0;
  /** SHA-256 of each piece that was sent here, and of how many. */
  readonly #hashes: Bytes;
  #hashed = 0;
  readonly #stop = new AbortController();
  #reading: Promise<unknown> = Promise.resolve();
  #waiting: (() => void)[] = [];

  constructor(
    link: CommandChannel,
    blob: WritableBlob,
    source: ByteSource,
    options: UploadOptions,
    missing: readonly number[],
  ) {
    this.#link = link;
    this.#blob = blob;
    this.#source = source;
    this.#options = options;
    this.#queue = missing.toReversed();
    this.#hashes = new Uint8Array(blob.cutting.count * HASH_BYTES);
    this.#stored = blob.cutting.size;
    for (const index of missing) {
      this.#stored -= pieceLength(blob.cutting, index);
    }
  }

  async run(): Promise<Bytes> {
    this.#options.onStored?.(this.#stored);
    const workers = Promise.all(
      Array.from({ length: PREPARING }, () => this.#work()),
    );
    workers.catch(() => this.#link.abort());
    try {
      const digest = await this.#listen();
      this.#end();
      await workers.catch((error) => {
        // One may have waited for its pace with a piece that had come before.
        if (error !== this.#stop.signal.reason) throw error;
      });
      return digest;
    } catch (error) {
      this.#end();
      this.#link.abort();
      // What went wrong here, such as a file that has changed, has cut the connection.
      const isEcho = error instanceof ChannelError;
      await workers.catch((own) => {
        if (isEcho && !(own instanceof ChannelError)) throw own;
      });
      throw error;
    }
  }

  async #listen(): Promise<Bytes> {
    using alive = new KeepAlive(this.#link);
    for (;;) {
      const message = await alive.wait(this.#link.next());
      if (message === null) throw cut(ACTION);
      if (message.verb === OK) this.#store(message);
      if (message.verb === KO) this.#sendAgain(message);
      if (message.verb === COMPLETE) return await this.#digest(message);
    }
  }

  /**
   * Pieces that an earlier connection had sent may have arrived since, so that not all need have been
   * sent on this one.
   */
  async #digest(message: Message): Promise<Bytes> {
    const digest = message.need(BLOB_DIGEST);
    if (this.#hashed < this.#blob.cutting.count) return digest;
    if (equalConstantTime(digest, await sha256(this.#hashes))) return digest;
    throw new MalformedError(
      `Cannot ${ACTION}: the server has something else than what was sent`,
    );
  }

  #store(message: Message): void {
    for (const index of parsePieces(message.need(PIECES))) {
      if (!this.#unanswered.delete(index)) continue;
      this.#sent.delete(index);
      this.#stored += pieceLength(this.#blob.cutting, index);
    }
    this.#options.onStored?.(this.#stored);
    this.#wake();
  }

  #sendAgain(message: Message): void {
    const index = message.get(PIECE);
    const why = refusal(message, ACTION);
    // Without a number it is about the connection.
    if (index === undefined) throw why;
    if (!this.#unanswered.delete(index)) return;
    const again = why.reason === "checksum" &&
      this.#sent.get(index)! < ATTEMPTS;
    if (!again) throw why;
    this.#queue.push(index);
    this.#wake();
  }

  async #work(): Promise<void> {
    const buffer = new Uint8Array(PIECE_BYTES);
    while (!this.#stop.signal.aborted) {
      const index = this.#unanswered.size < WINDOW
        ? this.#queue.pop()
        : undefined;
      if (index === undefined) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        continue;
      }
      this.#unanswered.add(index);
      this.#sent.set(index, (this.#sent.get(index) ?? 0) + 1);
      await this.#send(index, buffer);
    }
  }

  /** `buffer` takes the sealed piece: new memory for each costs as much as sealing a third of it. */
  async #send(index: number, buffer: Bytes): Promise<void> {
    const { key, cutting: { count } } = this.#blob;
    const last = index === count - 1;
    const plaintext = await this.#read(index);
    const sealed = await sealRun(
      key,
      index * CHUNKS_PER_PIECE,
      plaintext,
      last,
      buffer,
    );
    const hash = await sha256(sealed);
    if (this.#sent.get(index) === 1) this.#hashed++;
    this.#hashes.set(hash, index * HASH_BYTES);
    await this.#options.pace?.take(sealed.length, this.#stop.signal);
    if (this.#stop.signal.aborted) return;
    await this.#link.sendWithBody(
      new CommandWriter(128).set(PIECE, index)
        .set(DATA_LENGTH, sealed.length).set(VERIFICATION_SHA256, hash)
        .verb(PUT).done(),
      sealed,
    );
  }

  /** One read at a time, in order: sources are files. */
  #read(index: number): Promise<Bytes> {
    const offset = index * PIECE_PLAINTEXT;
    const length = Math.min(PIECE_PLAINTEXT, this.#source.length - offset);
    const reading = this.#reading.then(() => this.#source.read(offset, length));
    this.#reading = reading.catch(() => {/* told to whoever reads */});
    return reading;
  }

  #end(): void {
    this.#stop.abort(new ChannelError("ERR_CHANNEL_CLOSED", STOPPED));
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** The server took it for somebody else's: it was never reserved, or has expired. */
export function isGone(error: unknown): boolean {
  return error instanceof AccountError && error.reason === "unknown-blob";
}
