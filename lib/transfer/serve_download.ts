import type { Bytes, Message } from "../protocol/mod.ts";
import { CommandWriter, HELO, MalformedError, OLEH } from "../protocol/mod.ts";
import type { Guest } from "../account/mod.ts";
import {
  DATA_LENGTH,
  IDLE_DEADLINE,
  KO,
  MAX_PACKET,
  OK,
  VERIFICATION_SHA256,
} from "../account/mod.ts";
import type { BlobRecord } from "../store/mod.ts";
import {
  BLOB,
  BLOB_DIGEST,
  BLOB_HEADER,
  BLOB_SIZE,
  EXPIRES_AT,
  FETCHED,
  PIECE,
  PUT,
} from "./commands.ts";
import { PIECE_BYTES } from "./pieces.ts";
import type { PieceReader, SpoolBlob } from "./spool_blob.ts";

/** Pieces that one reader may have sent again: an altered one here and there, not a second download. */
const AGAIN_LIMIT = 1_000;

/**
 * Sends pieces from number `from` on, those that have not arrived as they do, and again those that
 * did not reach the other side whole.
 *
 * @param fetched is called when the other side has all of them, which is told that it is known only then.
 */
export async function serveDownload(
  guest: Guest,
  spooled: SpoolBlob,
  blob: BlobRecord,
  from: number,
  fetched: () => Promise<void>,
): Promise<void> {
  using reader = await spooled.reader();
  await new DownloadServer(guest, spooled, reader, from).run(blob, fetched);
}

class DownloadServer {
  readonly #guest: Guest;
  readonly #blob: SpoolBlob;
  readonly #reader: PieceReader;
  #next: number;
  #again: number[] = [];
  #askedAgain = 0;
  readonly #buffers = [
    new Uint8Array(PIECE_BYTES),
    new Uint8Array(PIECE_BYTES),
  ];
  #over = false;
  /** Wakes the sending half: more has arrived, a piece is asked for again, or it is to end. */
  #wake: () => void = () => {};

  constructor(
    guest: Guest,
    blob: SpoolBlob,
    reader: PieceReader,
    from: number,
  ) {
    this.#guest = guest;
    this.#blob = blob;
    this.#reader = reader;
    this.#next = from;
  }

  async run(
    { header, size, expiresAt }: BlobRecord,
    fetched: () => Promise<void>,
  ): Promise<void> {
    const { link, maxPacket } = this.#guest;
    await link.send(
      new CommandWriter().set(MAX_PACKET, maxPacket).set(BLOB_HEADER, header)
        .set(BLOB_SIZE, BigInt(size)).set(EXPIRES_AT, BigInt(expiresAt))
        .verb(BLOB).done(),
    );
    const unwatch = this.#blob.watch(() => this.#wake());
    const sending = this.#send();
    sending.catch(() => link.abort());
    try {
      if (!await this.#listen()) return;
      await fetched();
      await this.#finish();
    } finally {
      this.#over = true;
      unwatch();
      this.#wake();
      await sending.catch(
        () => {/* the connection is gone, or the disk failed: it is aborted */},
      );
    }
  }

  /** @returns whether the other side has all. */
  async #listen(): Promise<boolean> {
    const { link, caller } = this.#guest;
    for (;;) {
      const message = await link.next();
      if (message === null) return false;
      caller.deadline(IDLE_DEADLINE);
      if (message.verb === HELO) {
        await link.send(new CommandWriter().verb(OLEH).done());
      }
      if (message.verb === KO) this.#sendAgain(message);
      if (message.verb === FETCHED) return true;
    }
  }

  async #finish(): Promise<void> {
    const writer = new CommandWriter();
    if (this.#blob.complete) {
      writer.set(BLOB_DIGEST, await this.#blob.digest());
    }
    await this.#guest.link.send(writer.verb(OK).done());
  }

  #sendAgain(message: Message): void {
    const index = message.need(PIECE);
    if (index >= this.#next || ++this.#askedAgain > AGAIN_LIMIT) {
      throw new MalformedError(`Cannot send piece ${index} again`);
    }
    this.#again.push(index);
    this.#wake();
  }

  async #send(): Promise<void> {
    let index = await this.#take();
    let reading = this.#read(index);
    try {
      while (index !== undefined) {
        const piece = await reading;
        const sent = index;
        const sending = this.#guest.link.sendWithBody(
          new CommandWriter(128).set(PIECE, sent)
            .set(DATA_LENGTH, piece!.length)
            .set(VERIFICATION_SHA256, this.#blob.hash(sent)).verb(PUT).done(),
          piece!,
        );
        sending.catch(() => {/* awaited below */});
        // The next one is read while this one leaves.
        index = await this.#take();
        reading = this.#read(index);
        await sending;
      }
    } finally {
      // The file may be closed only when nobody reads it any more.
      await reading.catch(
        () => {/* told by the loop, unless it ended before */},
      );
    }
  }

  async #read(index: number | undefined): Promise<Bytes | undefined> {
    if (index === undefined) return undefined;
    // One is read while the other leaves.
    this.#buffers.reverse();
    return await this.#reader.read(index, this.#buffers[0]!);
  }

  /** The number of the next piece to send, once it is there; `undefined` at the end. */
  async #take(): Promise<number | undefined> {
    while (!this.#over) {
      const again = this.#again.shift();
      if (again !== undefined) return again;
      const left = this.#next < this.#blob.cutting.count;
      if (left && this.#blob.has(this.#next)) return this.#next++;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return undefined;
  }
}
