import type { Bytes, CommandTable, Message } from "../protocol/mod.ts";
import {
  CommandWriter,
  equalConstantTime,
  MalformedError,
  RECORD_LIMIT,
  RECORD_LIMIT_MINIMUM,
  sha256,
} from "../protocol/mod.ts";
import type {
  Guest,
  GuestService,
  ServerSession,
  Service,
} from "../account/mod.ts";
import {
  AccountError,
  IDLE_DEADLINE,
  MAX_PACKET,
  Throttle,
} from "../account/mod.ts";
import type { BlobRecord, BlobUsage, ServerStore } from "../store/mod.ts";
import {
  BLOB_HEADER,
  BLOB_ID,
  BLOB_SIZE,
  CLAIM,
  DOWNLOAD,
  DOWNLOADS,
  EXPIRES_AT,
  LIFETIME,
  PIECE,
  READ_CAPABILITY,
  REMOVE,
  REMOVED,
  RESERVE,
  RESERVED,
  TRANSFER,
  UPLOAD,
  WRITE_CAPABILITY,
  WRITER_ID,
} from "./commands.ts";
import { cutting } from "./pieces.ts";
import { serveDownload } from "./serve_download.ts";
import { serveUpload } from "./serve_upload.ts";
import { Spool } from "./spool.ts";

/** How much a server keeps for whom, and for how long. */
export interface TransferLimits {
  /** For one account. */
  readonly account: BlobUsage;
  /** For all who have no account together; none if they may leave nothing. */
  readonly guests: BlobUsage;
  /** For everybody together. */
  readonly total: BlobUsage;
  /** Seconds: the longest time for which a blob is kept. */
  readonly lifetime: number;
}

/** 64 GiB for an account, 16 GiB for guests, 256 GiB in all, for 7 days at most. */
export const DEFAULT_TRANSFER_LIMITS: TransferLimits = {
  account: { blobs: 1_000, bytes: 64 * 2 ** 30 },
  guests: { blobs: 1_000, bytes: 16 * 2 ** 30 },
  total: { blobs: 100_000, bytes: 256 * 2 ** 30 },
  lifetime: 7 * 86_400,
};

/** Blobs of those who have no account. No address is empty. */
const GUESTS = "";
const HEADER_BYTES = 56;
const DOWNLOADS_LIMIT = 1_000;

/**
 * Keeps sealed blobs until those have fetched them for whom they are (SPEC.md §10). It knows of a blob
 * how long it is and which capabilities read and write it, and nothing of what is in it.
 */
export class TransferService implements Service, GuestService {
  /** What is said about files. */
  readonly table: CommandTable = TRANSFER;
  /** What is answered in a session. */
  readonly verbs: ReadonlySet<string> = new Set([RESERVE.name, REMOVE.name]);
  /** What a connection for files begins with. */
  readonly opens: ReadonlySet<string> = new Set(
    [RESERVE, REMOVE, UPLOAD, DOWNLOAD].map(({ name }) => name),
  );
  readonly #store: ServerStore;
  readonly #spool: Spool;
  readonly #limits: TransferLimits;
  readonly #now: () => number;
  readonly #failed: (error: unknown) => void;
  /** Capabilities that fit nothing are guesses, such as at a code of words. */
  readonly #guesses = new Throttle({ free: 20, longest: 900 });

  /**
   * A service that has made nothing yet.
   *
   * @param directory where the blobs lie: there already, and readable by nobody else.
   * @param now gives milliseconds since 1970.
   */
  constructor(
    store: ServerStore,
    directory: string,
    limits: TransferLimits,
    now: () => number,
    failed: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#spool = new Spool(directory);
    this.#limits = limits;
    this.#now = now;
    this.#failed = failed;
  }

  /** In a session: RESERVE and REMOVE. */
  handle({ address }: ServerSession, message: Message): Promise<Bytes> {
    return message.verb === RESERVE
      ? this.#reserve(address, message)
      : this.#remove(message);
  }

  /** A session is over. */
  left(): void {
    // Nothing is kept for a session.
  }

  /** On a connection without login: RESERVE, REMOVE, UPLOAD and DOWNLOAD, until it ends. */
  async welcome(guest: Guest, first: Message): Promise<void> {
    const { link, caller } = guest;
    this.#checkGuesses(caller.group);
    switch (first.verb) {
      case RESERVE:
        return await link.send(await this.#reserve(GUESTS, first));
      case REMOVE:
        return await link.send(await this.#remove(first, caller.group));
      case UPLOAD:
        return await this.#upload(guest, first);
      default:
        return await this.#download(guest, first);
    }
  }

  /** Forgets what has expired, and deletes what belongs to nothing. @returns how many blobs went. */
  async expire(): Promise<number> {
    const expired = await this.#store.blobs.expire(this.#now());
    await this.#spool.keepOnly(() => this.#store.blobs.ids());
    return expired;
  }

  async #reserve(owner: string, message: Message): Promise<Bytes> {
    const { account, guests, total, lifetime } = this.#limits;
    const size = Number(message.need(BLOB_SIZE));
    cutting(size);
    const header = message.need(BLOB_HEADER);
    const downloads = message.get(DOWNLOADS) ?? 1;
    if (header.length !== HEADER_BYTES) {
      throw new MalformedError("Cannot reserve: the header is not 56 bytes");
    }
    if (downloads < 1 || downloads > DOWNLOADS_LIMIT) {
      throw new MalformedError("Cannot reserve: 1 to 1,000 downloads");
    }
    const seconds = Math.min(message.get(LIFETIME) ?? lifetime, lifetime);
    const blob: BlobRecord = {
      id: message.need(BLOB_ID),
      writer: message.need(WRITER_ID),
      owner,
      header,
      size,
      downloads,
      expiresAt: this.#now() + seconds * 1_000,
    };
    await this.#forgetExpired(blob.id);
    const quota = { owner: owner === GUESTS ? guests : account, total };
    const outcome = await this.#store.blobs.reserve(blob, quota);
    if (outcome === "quota") throw new AccountError("reserve", "spool-full");
    if (outcome === "other") throw new AccountError("reserve", "blob-exists");
    const there = await this.#store.blobs.byId(blob.id);
    return new CommandWriter()
      .set(EXPIRES_AT, BigInt(there?.expiresAt ?? blob.expiresAt))
      .verb(RESERVED).done();
  }

  /** The sweep may not have come by yet. */
  async #forgetExpired(id: Bytes): Promise<void> {
    const there = await this.#store.blobs.byId(id);
    if (there === undefined || !this.#isExpired(there)) return;
    await this.#store.blobs.remove(id);
    await this.#spool.remove(id);
  }

  #isExpired({ expiresAt }: BlobRecord): boolean {
    return expiresAt <= this.#now();
  }

  async #remove(message: Message, group?: string): Promise<Bytes> {
    const { id } = await this.#written(message, group);
    await this.#store.blobs.remove(id);
    await this.#spool.remove(id);
    return new CommandWriter().verb(REMOVED).done();
  }

  async #upload(guest: Guest, first: Message): Promise<void> {
    const blob = await this.#written(first, guest.caller.group);
    const cut = cutting(blob.size);
    this.#admit(guest, packetOf(first));
    await this.#spool.use(
      blob.id,
      cut,
      (spooled) => serveUpload(guest, spooled, this.#failed),
    );
  }

  async #download(guest: Guest, first: Message): Promise<void> {
    const { group } = guest.caller;
    const id = await sha256(first.need(READ_CAPABILITY));
    const reader = await sha256(first.need(CLAIM));
    const blob = await this.#store.blobs.byId(id);
    // Again: others may have guessed while this one was looked up.
    this.#checkGuesses(group);
    if (blob === undefined || this.#isExpired(blob)) {
      this.#guessed(group);
      throw new AccountError("fetch", "unknown-blob");
    }
    const cut = cutting(blob.size);
    const from = first.get(PIECE) ?? 0;
    const packet = packetOf(first);
    if (from > cut.count) {
      throw new MalformedError(`Cannot send: there is no piece ${from}`);
    }
    if (!await this.#store.blobs.claim(id, reader)) {
      throw new AccountError("fetch", "blob-taken");
    }
    this.#admit(guest, packet);
    let isOver = false;
    const fetched = async () => {
      isOver = await this.#store.blobs.fetched(id, reader);
    };
    try {
      await this.#spool.use(
        id,
        cut,
        (spooled) => serveDownload(guest, spooled, blob, from, fetched),
      );
    } finally {
      if (isOver) await this.#spool.remove(id);
    }
  }

  /** The blob that somebody shows the capability to write. */
  async #written(message: Message, group?: string): Promise<BlobRecord> {
    const blob = await this.#store.blobs.byId(message.need(BLOB_ID));
    const writer = await sha256(message.need(WRITE_CAPABILITY));
    if (group !== undefined) this.#checkGuesses(group);
    const fits = blob !== undefined && !this.#isExpired(blob) &&
      equalConstantTime(blob.writer, writer);
    if (fits) return blob;
    if (group !== undefined) this.#guessed(group);
    throw new AccountError("write", "unknown-blob");
  }

  /** From here on the other side is known to be allowed: limits of strangers are lifted. */
  #admit({ link, caller, maxPacket }: Guest, packet: number): void {
    caller.deadline(IDLE_DEADLINE);
    link.budget = Infinity;
    link.limit(Math.min(packet, maxPacket));
  }

  #checkGuesses(group: string): void {
    const wait = this.#guesses.wait(group, this.#now() / 1_000);
    if (wait > 0) throw new AccountError("fetch", "throttled", wait);
  }

  #guessed(group: string): void {
    this.#guesses.failed(group, this.#now() / 1_000);
  }
}

/** What a client can take at a time, in bytes. @throws {MalformedError} if it cannot be that. */
function packetOf(message: Message): number {
  const bytes = message.get(MAX_PACKET) ?? RECORD_LIMIT;
  const fits = bytes >= RECORD_LIMIT_MINIMUM && bytes <= RECORD_LIMIT;
  if (!fits) throw new MalformedError(`Cannot take MAX-PACKET: ${bytes} bytes`);
  return bytes;
}
