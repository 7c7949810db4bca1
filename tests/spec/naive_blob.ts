/**
 * Keys, the sealed blob and its pieces, written from SPEC.md §10.1 to §10.3.
 *
 * @module
 */
import {
  ascii,
  expandSha512,
  hkdf,
  join,
  open,
  random,
  seal,
  sha256,
  toBig,
  unsigned,
} from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";

const NOTHING: Octets = new Uint8Array(0);
const CHUNK = 16_384;
const PIECE = 524_800;

/** What comes from one secret (§10.1). */
export interface NaiveBlobKeys {
  readonly readCapability: Octets;
  readonly id: Octets;
  readonly inputKey: Octets;
  readonly context: Octets;
}

/** The keys of a secret. */
export function blobKeysOf(secret: Octets): NaiveBlobKeys {
  const readCapability = hkdf(secret, NOTHING, "sotto file read", 32);
  const id = sha256(readCapability);
  return {
    readCapability,
    id,
    inputKey: hkdf(secret, NOTHING, "sotto file key", 32),
    context: join(ascii("sotto file 1\0"), id),
  };
}

/** A sealed blob (§10.2), and its header. */
export interface NaiveBlob {
  readonly header: Octets;
  readonly sealed: Octets;
}

/** Seals a plaintext. */
export function sealBlob(
  keys: NaiveBlobKeys,
  plaintext: Octets,
  salt: Octets = random(24),
): NaiveBlob {
  const { key, base, commitment } = derive(keys, salt);
  const chunks: Octets[] = [];
  for (let i = 0; i * CHUNK <= plaintext.length; i++) {
    const chunk = plaintext.slice(i * CHUNK, (i + 1) * CHUNK);
    chunks.push(seal(key, nonce(base, i), chunk, NOTHING));
  }
  return { header: join(salt, commitment), sealed: join(...chunks) };
}

/** The plaintext; throws unless it is what was sealed, all of it. */
export function openBlob(keys: NaiveBlobKeys, blob: NaiveBlob): Octets {
  const { header, sealed } = blob;
  if (header.length !== 56) throw new Error("a header of another length");
  const { key, base, commitment } = derive(keys, header.slice(0, 24));
  if (header.slice(24).toHex() !== commitment.toHex()) {
    throw new Error("a header of another key");
  }
  const chunks: Octets[] = [];
  for (let i = 0;; i++) {
    const chunk = sealed.slice(i * 16_400, (i + 1) * 16_400);
    if (chunk.length < 16) throw new Error("no last chunk");
    chunks.push(open(key, nonce(base, i), chunk, NOTHING));
    if (chunk.length < 16_400) return join(...chunks);
  }
}

/** BLOB-SIZE of a plaintext of `n` bytes. */
export function blobSize(n: number): number {
  return n + 16 * (Math.floor(n / CHUNK) + 1);
}

/** The pieces of a sealed blob (§10.3). */
export function piecesOf(sealed: Octets): Octets[] {
  const pieces: Octets[] = [];
  for (let at = 0; at < sealed.length; at += PIECE) {
    pieces.push(sealed.slice(at, at + PIECE));
  }
  return pieces;
}

/** BLOB-DIGEST. */
export function digestOf(pieces: readonly Octets[]): Octets {
  return sha256(...pieces.map((piece) => sha256(piece)));
}

/** The pieces that ARRIVED names. */
export function arrivedPieces(arrived: Octets): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < arrived.length; at += 8) {
    const first = Number(toBig(arrived.slice(at, at + 4)));
    const count = Number(toBig(arrived.slice(at + 4, at + 8)));
    for (let i = 0; i < count; i++) numbers.push(first + i);
  }
  return numbers;
}

/** The numbers in PIECES. */
export function pieceNumbers(pieces: Octets): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < pieces.length; at += 4) {
    numbers.push(Number(toBig(pieces.slice(at, at + 4))));
  }
  return numbers;
}

function derive(
  { inputKey, context }: NaiveBlobKeys,
  salt: Octets,
): { key: Octets; base: Octets; commitment: Octets } {
  const label = "c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
  const info = join(ascii(label), salt, context);
  const all = expandSha512(inputKey, info, 76);
  return {
    key: all.slice(0, 32),
    base: all.slice(32, 44),
    commitment: all.slice(44),
  };
}

function nonce(base: Octets, i: number): Octets {
  return unsigned(12, toBig(base) ^ BigInt(i));
}
