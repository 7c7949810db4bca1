import type { Bytes, Message } from "../protocol/mod.ts";
import { CommandWriter, sha256 } from "../protocol/mod.ts";
import {
  BLOB_HEADER,
  BLOB_ID,
  BLOB_SIZE,
  DOWNLOADS,
  EXPIRES_AT,
  LIFETIME,
  REMOVE,
  RESERVE,
  WRITE_CAPABILITY,
  WRITER_ID,
} from "./commands.ts";
import type { WritableBlob } from "./upload.ts";

/** For whom and how long a blob is kept. */
export interface Reservation {
  /** How many may fetch it, 1 to 1,000. */
  readonly downloads: number;
  /** Seconds. The server may keep it for a shorter time. */
  readonly lifetime: number;
}

/** The command that asks for room; asking again for the same does no harm. */
export async function reserveCommand(
  { id, writeCapability, key, cutting }: WritableBlob,
  { downloads, lifetime }: Reservation,
): Promise<Bytes> {
  return new CommandWriter().set(BLOB_ID, id)
    .set(WRITER_ID, await sha256(writeCapability))
    .set(BLOB_HEADER, key.header).set(BLOB_SIZE, BigInt(cutting.size))
    .set(DOWNLOADS, downloads).set(LIFETIME, lifetime).verb(RESERVE).done();
}

/** Until when the blob is kept, in milliseconds since 1970, as the answer to that has it. */
export function reserved(answer: Message): number {
  return Number(answer.need(EXPIRES_AT));
}

/** The command that forgets a blob. */
export function removeCommand(
  { id, writeCapability }: Pick<WritableBlob, "id" | "writeCapability">,
): Bytes {
  return new CommandWriter().set(BLOB_ID, id)
    .set(WRITE_CAPABILITY, writeCapability).verb(REMOVE).done();
}
