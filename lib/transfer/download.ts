import type { Bytes, CommandChannel, Message } from "../protocol/mod.ts";
import {
  ChannelError,
  CommandWriter,
  CryptoError,
  MalformedError,
  RECORD_LIMIT,
} from "../protocol/mod.ts";
import { DATA_LENGTH, KO, MAX_PACKET, OK } from "../account/mod.ts";
import type { BlobKeys } from "./blob_keys.ts";
import { ask, cut, refusal } from "./client_link.ts";
import {
  BLOB,
  BLOB_DIGEST,
  BLOB_HEADER,
  BLOB_SIZE,
  CLAIM,
  DOWNLOAD,
  FETCHED,
  PIECE,
  PUT,
  READ_CAPABILITY,
} from "./commands.ts";
import { KeepAlive } from "./keep_alive.ts";
import {
  CHUNKS_PER_PIECE,
  cutting,
  PIECE_BYTES,
  PIECE_PLAINTEXT,
  pieceLength,
} from "./pieces.ts";
import type { Cutting } from "./pieces.ts";
import { BlobKey } from "./sealed_blob/blob_key.ts";
import { openRun } from "./sealed_blob/chunk_run.ts";
import type { Pacing } from "./upload.ts";

const ACTION = "fetch the file";
/** Pieces that are opened or wait to be written, before more are read: 4 MiB. */
const HELD = 8;
/** The same while one of them is missing that was asked for again: 64 MiB. */
const HELD_AT_MOST = 128;
/** How often a piece is asked for that does not open. */
const ATTEMPTS = 5;
/** What was written is made durable after so many bytes. */
const SYNC_EVERY = 64 * 2 ** 20;
/** Or after so long, in milliseconds: a slow transfer that is killed loses no minutes. */
const SYNC_AFTER = 2_000;

/** Where a transfer goes. */
export interface ByteSink {
  /** Takes what follows what was written before. */
  write(offset: number, bytes: Bytes): Promise<void>;
  /** Resolves when all that was written is on disk; `next` is the offset at which to go on. */
  sync(next: number): Promise<void>;
}

/** How a blob is fetched. */
export interface DownloadOptions {
  /** Holds the download to a rate. */
  readonly pace?: Pacing;
  /** Ends it where it is, also while it waits for its pace. */
  readonly signal?: AbortSignal;
  /** Told how many bytes there are in all, and how many have been written. */
  readonly onWritten?: (bytes: number, of: number) => void;
}

/** A blob as its reader knows it. */
export interface ReadableBlob {
  /** By which it is found and opened. */
  readonly keys: BlobKeys;
  /** Chosen by this reader, 32 bytes; the same to go on. */
  readonly claim: Bytes;
  /** Offset in the plaintext at which to go on: a whole number of pieces, or its end. */
  readonly from: number;
}

/**
 * Fetches a blob: pieces are opened and written in order as they come, and asked for again if they do
 * not open (S0.9): that they do proves more than their hash would. Resolves when all is written, and
 * the server knows.
 *
 * @returns the digest of the blob as the server has it, 32 bytes.
 * @throws {AccountError} if the server refuses: "unknown-blob", "blob-taken".
 * @throws {CryptoError | MalformedError} if what comes, again and again, is not what was sealed.
 * @throws {ChannelError} if the connection fails: on another one it goes on where it was.
 */
export async function download(
  link: CommandChannel,
  blob: ReadableBlob,
  sink: ByteSink,
  options: DownloadOptions = {},
): Promise<Bytes> {
  const { keys, claim, from } = blob;
  const answer = await ask(
    link,
    new CommandWriter().set(READ_CAPABILITY, keys.readCapability)
      .set(CLAIM, claim).set(PIECE, firstPiece(from))
      .set(MAX_PACKET, RECORD_LIMIT).verb(DOWNLOAD).done(),
    BLOB,
    ACTION,
  );
  const header = answer.need(BLOB_HEADER);
  const key = await BlobKey.open(keys.inputKey, keys.context, header);
  const cut = cutting(Number(answer.need(BLOB_SIZE)));
  return await new Download(link, key, cut, blob, sink, options).run();
}

/** The end of the plaintext need not be that of a piece. */
function firstPiece(from: number): number {
  return Math.ceil(from / PIECE_PLAINTEXT);
}

class Download {
  readonly #link: CommandChannel;
  readonly #key: BlobKey;
  readonly #cutting: Cutting;
  readonly #sink: ByteSink;
  readonly #options: DownloadOptions;
  /** Plaintext of pieces by number: under way, or waiting for one before. */
  readonly #held = new Map<number, Promise<Bytes | undefined>>();
  readonly #attempts = new Map<number, number>();
  /** Buffers that were written: new memory for each piece costs as much as opening a third of it. */
  readonly #free: Bytes[] = [];
  /** The same for pieces that were opened. */
  readonly #freeBodies: Bytes[] = [];
  #next: number;
  #unsynced = 0;
  #syncedAt = performance.now();
  #failure: { readonly error: unknown } | undefined;
  readonly #stop = new AbortController();
  /** Fires when it has failed here, or is to end. */
  readonly #stopped: AbortSignal;
  #wakeReader: () => void = () => {};
  #wakeWriter: () => void = () => {};

  constructor(
    link: CommandChannel,
    key: BlobKey,
    cut: Cutting,
    { from }: ReadableBlob,
    sink: ByteSink,
    options: DownloadOptions,
  ) {
    this.#link = link;
    this.#key = key;
    this.#cutting = cut;
    this.#sink = sink;
    this.#options = options;
    const { signal } = options;
    this.#stopped = signal === undefined
      ? this.#stop.signal
      : AbortSignal.any([signal, this.#stop.signal]);
    this.#next = firstPiece(from);
  }

  async run(): Promise<Bytes> {
    const writing = this.#write();
    writing.catch((error) => this.#fail(error));
    try {
      return await this.#listen();
    } catch (error) {
      this.#fail(error);
      this.#link.abort();
      this.#wakeWriter();
      // Pieces that were whole are written and durable before anybody is told.
      await writing.catch(() => {});
      throw this.#failure!.error;
    }
  }

  /** The first failure counts: those that follow come of it. */
  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#stop.abort(error);
    this.#wakeReader();
    this.#wakeWriter();
    if (!(error instanceof ChannelError)) this.#link.abort();
  }

  async #listen(): Promise<Bytes> {
    using alive = new KeepAlive(this.#link);
    for (;;) {
      const message = await alive.wait(this.#link.next());
      if (message === null) throw cut(ACTION);
      if (this.#failure !== undefined) throw this.#failure.error;
      if (message.verb === KO) throw refusal(message, ACTION);
      if (message.verb === OK) return this.#digest(message);
      if (message.verb === PUT) await this.#take(message);
    }
  }

  async #take(message: Message): Promise<void> {
    const index = message.need(PIECE);
    const fits = index >= this.#next && index < this.#cutting.count &&
      message.need(DATA_LENGTH) === pieceLength(this.#cutting, index);
    if (!fits || this.#held.has(index)) {
      throw new MalformedError(
        `Cannot ${ACTION}: the server sends piece ${index}, which nobody asked for`,
      );
    }
    const buffer = this.#freeBodies.pop() ?? new Uint8Array(PIECE_BYTES);
    const body = await this.#link.body(message.need(DATA_LENGTH), buffer);
    const opened = this.#open(index, body)
      .finally(() => this.#freeBodies.push(buffer));
    opened.catch((error) => this.#fail(error));
    this.#held.set(index, opened);
    this.#wakeWriter();
    await this.#options.pace?.take(body.length, this.#stopped);
    while (this.#isFull() && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
  }

  /** Whether nothing more should be read for now. */
  #isFull(): boolean {
    if (this.#held.size < HELD) return false;
    if (this.#held.has(this.#next)) return true;
    if (this.#held.size < HELD_AT_MOST) return false;
    throw new MalformedError(
      `Cannot ${ACTION}: the server does not send piece ${this.#next} again`,
    );
  }

  /** The plaintext; `undefined` if the piece does not open and was asked for again. */
  async #open(index: number, body: Bytes): Promise<Bytes | undefined> {
    const last = index === this.#cutting.count - 1;
    const first = index * CHUNKS_PER_PIECE;
    const buffer = this.#free.pop() ?? new Uint8Array(PIECE_BYTES);
    try {
      return await openRun(this.#key, first, body, last, buffer);
    } catch (error) {
      if (!(error instanceof CryptoError)) throw error;
      const attempts = (this.#attempts.get(index) ?? 0) + 1;
      this.#attempts.set(index, attempts);
      if (attempts >= ATTEMPTS) throw error;
    }
    this.#held.delete(index);
    await this.#link.send(
      new CommandWriter().set(PIECE, index).verb(KO).done(),
    );
    this.#wakeReader();
    return undefined;
  }

  async #write(): Promise<void> {
    const { count } = this.#cutting;
    const total = count * PIECE_PLAINTEXT;
    this.#options.onWritten?.(this.#next * PIECE_PLAINTEXT, total);
    while (this.#next < count) {
      const opening = this.#held.get(this.#next);
      if (opening === undefined) {
        if (this.#failure !== undefined) break;
        await new Promise<void>((resolve) => this.#wakeWriter = resolve);
        continue;
      }
      const plaintext = await opening.catch(() => undefined);
      if (plaintext === undefined) { // It comes again, or never.
        if (this.#failure !== undefined) break;
        continue;
      }
      await this.#sink.write(this.#next * PIECE_PLAINTEXT, plaintext);
      this.#free.push(new Uint8Array(plaintext.buffer));
      this.#held.delete(this.#next++);
      this.#wakeReader();
      this.#unsynced += plaintext.length;
      this.#options.onWritten?.(this.#next * PIECE_PLAINTEXT, total);
      const waited = performance.now() - this.#syncedAt;
      if (this.#unsynced >= SYNC_EVERY || waited >= SYNC_AFTER) {
        await this.#sync();
      }
    }
    await this.#sync();
    if (this.#next === count) {
      await this.#link.send(new CommandWriter().verb(FETCHED).done());
    }
  }

  async #sync(): Promise<void> {
    this.#unsynced = 0;
    await this.#sink.sync(this.#next * PIECE_PLAINTEXT);
    this.#syncedAt = performance.now();
  }

  #digest(message: Message): Bytes {
    if (this.#next < this.#cutting.count) {
      throw new MalformedError(`Cannot ${ACTION}: the server ended too early`);
    }
    return message.need(BLOB_DIGEST);
  }
}
