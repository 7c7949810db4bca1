/**
 * Files from one person to others: sealed on the sender's machine, kept by the server in pieces that
 * are each checked, and opened on the recipient's (SPEC.md §10). Either side may die and go on. The
 * server learns how long a blob is, roughly, and who fetches it when; not its name, kind or content.
 * How somebody learns of a file is not decided here: by an offer in a letter, or by a code of words.
 *
 * @module
 */
export { blobKeys, newSecret } from "./blob_keys.ts";
export { ask, TRANSFER_VOCABULARY } from "./client_link.ts";
export { RESERVED, TRANSFER } from "./commands.ts";
export { download } from "./download.ts";
export { formatOffer, parseOffer } from "./offer.ts";
export { removeCommand, reserveCommand, reserved } from "./reservation.ts";
export { cutting, PIECE_PLAINTEXT } from "./pieces.ts";
export { BlobKey } from "./sealed_blob/blob_key.ts";
export { sealedLength } from "./sealed_blob/sizes.ts";
export { DEFAULT_TRANSFER_LIMITS, TransferService } from "./server.ts";
export {
  codeSecret,
  formatShareCode,
  newShareCode,
  parseShareCode,
} from "./share_code.ts";
export { PartError } from "./tree/part_error.ts";
export { scan } from "./tree/scan.ts";
export { SingleFileSink } from "./tree/single_file_sink.ts";
export { TreeSource } from "./tree/tree_source.ts";
export { TreeWriter } from "./tree/tree_writer.ts";
export { upload } from "./upload.ts";

export type { BlobKeys } from "./blob_keys.ts";
export type { ByteSink, DownloadOptions, ReadableBlob } from "./download.ts";
export type { Offer, OfferKind } from "./offer.ts";
export type { Reservation } from "./reservation.ts";
export type { Cutting } from "./pieces.ts";
export type { TransferLimits } from "./server.ts";
export type { ShareCode } from "./share_code.ts";
export type { Scan, Skipped } from "./tree/scan.ts";
export type { Layout } from "./tree/layout.ts";
export type { FileFingerprint, SourceFile } from "./tree/source_file.ts";
export type {
  DirectoryEntry,
  FileEntry,
  LinkEntry,
  Manifest,
  Place,
  TreeEntry,
} from "./tree/tree_entry.ts";
export type {
  ByteSource,
  Pacing,
  UploadOptions,
  WritableBlob,
} from "./upload.ts";
