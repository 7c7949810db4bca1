/**
 * A client for files that speaks to a real server over a socket with nothing but what SPEC.md §10 says.
 *
 * @module
 */
import {
  arrivedPieces,
  blobKeysOf,
  blobSize,
  openBlob,
  pieceNumbers,
  piecesOf,
  sealBlob,
} from "./naive_blob.ts";
import type { NaiveBlob, NaiveBlobKeys } from "./naive_blob.ts";
import { need } from "./naive_connection.ts";
import type { Command, NaiveConnection } from "./naive_connection.ts";
import { join, random, sha256 } from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import type { NaiveMessage } from "./naive_risp.ts";

/** A file on its way. */
export class NaiveFile {
  readonly plaintext: Octets;
  readonly secret: Octets;
  readonly keys: NaiveBlobKeys;
  readonly writeCapability: Octets = random(32);
  readonly blob: NaiveBlob;
  readonly pieces: readonly Octets[];

  /** Seals `plaintext` under a new secret, or this one. */
  constructor(plaintext: Octets, secret: Octets = random(32)) {
    this.plaintext = plaintext;
    this.secret = secret;
    this.keys = blobKeysOf(secret);
    this.blob = sealBlob(this.keys, plaintext);
    this.pieces = piecesOf(this.blob.sealed);
  }

  /** RESERVE. */
  reserve(downloads = 1, lifetime = 3_600): Command[] {
    return [
      ["BLOB-SIZE", BigInt(blobSize(this.plaintext.length))],
      ["LIFETIME", lifetime],
      ["DOWNLOADS", downloads],
      ["BLOB-ID", this.keys.id],
      ["WRITER-ID", sha256(this.writeCapability)],
      ["BLOB-HEADER", this.blob.header],
      "RESERVE",
    ];
  }

  /** UPLOAD or REMOVE. */
  write(verb: "UPLOAD" | "REMOVE", ...more: Command[]): Command[] {
    return [
      ["WRITE-CAPABILITY", this.writeCapability],
      ["BLOB-ID", this.keys.id],
      ...more,
      verb,
    ];
  }

  /** DOWNLOAD. */
  read(claim: Octets, ...more: Command[]): Command[] {
    const { readCapability } = this.keys;
    return [
      ["READ-CAPABILITY", readCapability],
      ["CLAIM", claim],
      ...more,
      "DOWNLOAD",
    ];
  }

  /** PUT and the body; `altered` falsifies the latter. */
  async put(
    connection: NaiveConnection,
    index: number,
    altered = false,
  ): Promise<void> {
    const piece = this.pieces[index]!;
    await connection.send([
      ["VERIFICATION-SHA256", sha256(piece)],
      ["DATA-LENGTH", piece.length],
      ["PIECE", index],
      "PUT",
    ]);
    await connection.sendBody(altered ? piece.with(9, piece[9]! ^ 1) : piece);
  }
}

/** Says something and takes the answer. */
export async function say(
  connection: NaiveConnection,
  commands: readonly Command[],
): Promise<NaiveMessage> {
  await connection.send(commands);
  const answer = await connection.next();
  if (answer === undefined) throw new Error("closed");
  return answer;
}

/** Sends what is missing, one piece after the other (§10.5); the digest. */
export async function sendAll(
  connection: NaiveConnection,
  file: NaiveFile,
): Promise<Octets> {
  const ready = await say(connection, file.write("UPLOAD"));
  const there = arrivedPieces(need<Octets>(ready, "ARRIVED"));
  const missing = [...file.pieces.keys()].filter((i) => !there.includes(i));
  for (const i of missing) await file.put(connection, i);
  const confirmed: number[] = [];
  for (;;) {
    const answer = (await connection.next())!;
    if (answer.verb === "OK") {
      confirmed.push(...pieceNumbers(need<Octets>(answer, "PIECES")));
    } else if (answer.verb !== "COMPLETE") throw new Error(answer.verb);
    else if (confirmed.length < missing.length) throw new Error("too early");
    else return need<Octets>(answer, "BLOB-DIGEST");
  }
}

/** Takes the piece that is on its way (§10.3). */
export async function takePiece(
  connection: NaiveConnection,
): Promise<{ index: number; piece: Octets }> {
  const put = (await connection.next())!;
  if (put.verb !== "PUT") throw new Error(`${put.verb}, no PUT`);
  const piece = await connection.body(need<number>(put, "DATA-LENGTH"));
  const hash = need<Octets>(put, "VERIFICATION-SHA256");
  if (sha256(piece).toHex() !== hash.toHex()) throw new Error("not whole");
  return { index: need<number>(put, "PIECE"), piece };
}

/** Fetches all that a secret opens (§10.6). */
export async function fetchAll(
  connection: NaiveConnection,
  secret: Octets,
  claim: Octets = random(32),
): Promise<{ plaintext: Octets; digest: Octets }> {
  const keys = blobKeysOf(secret);
  const blob = await say(connection, [
    ["READ-CAPABILITY", keys.readCapability],
    ["CLAIM", claim],
    "DOWNLOAD",
  ]);
  if (blob.verb !== "BLOB") throw new Error(blob.verb);
  const size = Number(need<bigint>(blob, "BLOB-SIZE"));
  let sealed: Octets = new Uint8Array(0);
  for (let i = 0; sealed.length < size; i++) {
    const { index, piece } = await takePiece(connection);
    if (index !== i) throw new Error(`piece ${index} instead of ${i}`);
    sealed = join(sealed, piece);
  }
  const header = need<Octets>(blob, "BLOB-HEADER");
  const plaintext = openBlob(keys, { header, sealed });
  const ok = await say(connection, ["FETCHED"]);
  return { plaintext, digest: need<Octets>(ok, "BLOB-DIGEST") };
}
