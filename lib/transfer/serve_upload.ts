import type { Bytes, Message } from "../protocol/mod.ts";
import {
  CommandWriter,
  equalConstantTime,
  HELO,
  MalformedError,
  OLEH,
  sha256,
  utf8,
} from "../protocol/mod.ts";
import type { Guest } from "../account/mod.ts";
import {
  DATA_LENGTH,
  IDLE_DEADLINE,
  KO,
  MAX_PACKET,
  OK,
  REASON,
  VERIFICATION_SHA256,
} from "../account/mod.ts";
import {
  ARRIVED,
  BLOB_DIGEST,
  COMPLETE,
  PIECE,
  PIECES,
  PUT,
  READY,
} from "./commands.ts";
import {
  encodeArrived,
  encodePieces,
  PIECE_BYTES,
  pieceLength,
} from "./pieces.ts";
import type { SpoolBlob } from "./spool_blob.ts";

/** Pieces of one connection that are worked on at once: 4 MiB. */
const PIECES_IN_FLIGHT = 8;
/** Time for one piece, in milliseconds: on a slow line nothing else is heard meanwhile. */
const PIECE_DEADLINE = 900_000;

/** Takes pieces in until the other side closes: OK for those that are on disk, KO for the others. */
export async function serveUpload(
  guest: Guest,
  blob: SpoolBlob,
  failed: (error: unknown) => void,
): Promise<void> {
  await new UploadServer(guest, blob, failed).run();
}

class UploadServer {
  readonly #guest: Guest;
  readonly #blob: SpoolBlob;
  readonly #failed: (error: unknown) => void;
  readonly #working = new Set<Promise<void>>();
  /** Buffers of pieces that are done with: new memory for each costs time and stays for a while. */
  readonly #free: Bytes[] = [];
  #stored: number[] = [];
  /** Pieces that have come and have no answer yet: COMPLETE must not overtake any. */
  #unanswered = 0;
  #completed = false;
  #broken = false;
  #isFull = false;

  constructor(
    guest: Guest,
    blob: SpoolBlob,
    failed: (error: unknown) => void,
  ) {
    this.#guest = guest;
    this.#blob = blob;
    this.#failed = failed;
  }

  async run(): Promise<void> {
    const { link, caller, maxPacket } = this.#guest;
    const { count } = this.#blob.cutting;
    try {
      await link.send(
        new CommandWriter().set(MAX_PACKET, maxPacket)
          .set(ARRIVED, encodeArrived((i) => this.#blob.has(i), count))
          .verb(READY).done(),
      );
      await this.#complete();
      while (!this.#broken) {
        const message = await link.next();
        if (message === null) break;
        caller.deadline(IDLE_DEADLINE);
        await this.#take(message);
      }
    } finally {
      await Promise.all(this.#working);
    }
  }

  async #take(message: Message): Promise<void> {
    const { link, caller } = this.#guest;
    if (message.verb === HELO) {
      await link.send(new CommandWriter().verb(OLEH).done());
    }
    if (message.verb !== PUT) return;
    const index = message.need(PIECE);
    const hash = message.need(VERIFICATION_SHA256);
    const { cutting } = this.#blob;
    if (
      index >= cutting.count ||
      message.need(DATA_LENGTH) !== pieceLength(cutting, index)
    ) {
      throw new MalformedError(`Cannot take piece ${index}: no such piece`);
    }
    const buffer = this.#free.pop() ?? new Uint8Array(PIECE_BYTES);
    caller.deadline(PIECE_DEADLINE);
    const body = await link.body(message.need(DATA_LENGTH), buffer);
    caller.deadline(IDLE_DEADLINE);
    this.#unanswered++;
    const work = this.#store(index, body, hash).finally(() => {
      this.#working.delete(work);
      this.#free.push(buffer);
    });
    this.#working.add(work);
    while (this.#working.size >= PIECES_IN_FLIGHT) {
      await Promise.race(this.#working);
    }
  }

  async #store(index: number, body: Bytes, hash: Bytes): Promise<void> {
    try {
      if (!equalConstantTime(await sha256(body), hash)) {
        return await this.#refuse(index, "checksum");
      }
      await this.#blob.put(index, body, hash);
      this.#stored.push(index);
      // Those that were flushed together are confirmed together.
      await Promise.resolve();
      await this.#confirm();
    } catch (error) {
      // The operator hears of a full disk, too, but not for each piece.
      if (!this.#isFull) this.#failed(error);
      this.#isFull = isFull(error);
      if (this.#isFull) return await this.#refuse(index, "spool-full");
      this.#broken = true;
      this.#guest.link.abort();
    }
  }

  async #confirm(): Promise<void> {
    const pieces = this.#stored.splice(0);
    if (pieces.length === 0) return;
    await this.#send(
      new CommandWriter().set(PIECES, encodePieces(pieces)).verb(OK),
    );
    this.#unanswered -= pieces.length;
    await this.#complete();
  }

  async #complete(): Promise<void> {
    if (this.#completed || !this.#blob.complete || this.#unanswered > 0) return;
    this.#completed = true;
    await this.#send(
      new CommandWriter().set(BLOB_DIGEST, await this.#blob.digest())
        .verb(COMPLETE),
    );
  }

  async #refuse(index: number, reason: string): Promise<void> {
    await this.#send(
      new CommandWriter().set(PIECE, index).set(REASON, utf8(reason)).verb(KO),
    );
    this.#unanswered--;
    await this.#complete();
  }

  async #send(writer: CommandWriter): Promise<void> {
    try {
      await this.#guest.link.send(writer.done());
    } catch {
      // The connection is gone; what arrived stays.
    }
  }
}

/** Whether the disk, or a quota on it, is full. */
function isFull(error: unknown): boolean {
  return error instanceof Error && /ENOSPC|EDQUOT|os error (28|122)\b/.test(
    `${(error as { code?: string }).code ?? ""} ${error.message}`,
  );
}
