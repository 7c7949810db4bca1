import type { CommandTable, Verb } from "../protocol/mod.ts";
import { bytes, integer, long, verb } from "../protocol/mod.ts";
import {
  DATA_LENGTH,
  KO,
  MAX_PACKET,
  OK,
  REASON,
  RETRY_IN,
  VERIFICATION_SHA256,
} from "../account/mod.ts";

/** What is said about files (SPEC.md §10). */

export const PIECE = integer(
  0x2200,
  "PIECE",
  "number of a piece of a blob, from 0",
);
export const LIFETIME = integer(
  0x2201,
  "LIFETIME",
  "seconds for which a blob is kept",
);
export const DOWNLOADS = integer(
  0x2202,
  "DOWNLOADS",
  "how many may fetch a blob",
);
export const BLOB_SIZE = long(
  0x3200,
  "BLOB-SIZE",
  "length of a blob in bytes, without its header",
);
export const EXPIRES_AT = long(
  0x3201,
  "EXPIRES-AT",
  "when a blob is forgotten, in milliseconds since 1970",
);
export const BLOB_ID = bytes(
  0x5200,
  "BLOB-ID",
  "SHA-256 of the capability to read a blob",
);
export const WRITER_ID = bytes(
  0x5201,
  "WRITER-ID",
  "SHA-256 of the capability to write a blob",
);
export const WRITE_CAPABILITY = bytes(
  0x5202,
  "WRITE-CAPABILITY",
  "whoever shows it may write the blob",
);
export const READ_CAPABILITY = bytes(
  0x5203,
  "READ-CAPABILITY",
  "whoever shows it may read the blob",
);
export const CLAIM = bytes(
  0x5204,
  "CLAIM",
  "chosen by a reader, who shows it again to go on",
);
export const BLOB_DIGEST = bytes(
  0x5205,
  "BLOB-DIGEST",
  "SHA-256 over the SHA-256 of all pieces",
);
export const BLOB_HEADER = bytes(
  0x8200,
  "BLOB-HEADER",
  "salt and commitment of the sealed blob, 56 bytes",
);
export const ARRIVED = bytes(
  0x9200,
  "ARRIVED",
  "which pieces have arrived: number of the first and count of each run, 8 bytes each",
);
export const PIECES = bytes(
  0x9201,
  "PIECES",
  "numbers of pieces, 4 bytes each",
);

export const RESERVE = verb(0x7200, "RESERVE", "keep room for this blob");
/** Answers RESERVE. */
export const RESERVED: Verb = verb(0x7201, "RESERVED", "there is room");
export const UPLOAD = verb(0x7202, "UPLOAD", "pieces of this blob follow");
export const READY = verb(0x7203, "READY", "these pieces are here already");
export const PUT = verb(0x7204, "PUT", "this piece; its body follows");
export const COMPLETE = verb(
  0x7205,
  "COMPLETE",
  "all pieces of the blob are on disk",
);
export const DOWNLOAD = verb(
  0x7206,
  "DOWNLOAD",
  "send me this blob, from PIECE on",
);
export const BLOB = verb(0x7207, "BLOB", "its pieces follow");
export const FETCHED = verb(
  0x7208,
  "FETCHED",
  "all of it is on disk here",
);
export const REMOVE = verb(0x7209, "REMOVE", "forget this blob");
export const REMOVED = verb(0x720a, "REMOVED", "it is forgotten");

/** Everything that is said about files. */
export const TRANSFER: CommandTable = {
  service: "transfer",
  parameters: [
    PIECE,
    LIFETIME,
    DOWNLOADS,
    BLOB_SIZE,
    EXPIRES_AT,
    BLOB_ID,
    WRITER_ID,
    WRITE_CAPABILITY,
    READ_CAPABILITY,
    CLAIM,
    BLOB_DIGEST,
    BLOB_HEADER,
    ARRIVED,
    PIECES,
    DATA_LENGTH,
    VERIFICATION_SHA256,
    MAX_PACKET,
    REASON,
    RETRY_IN,
  ],
  verbs: [
    RESERVE,
    RESERVED,
    UPLOAD,
    READY,
    PUT,
    COMPLETE,
    DOWNLOAD,
    BLOB,
    FETCHED,
    REMOVE,
    REMOVED,
    OK,
    KO,
  ],
};
