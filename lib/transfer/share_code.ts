import { WORDS } from "../identity/mod.ts";
import {
  argon2id,
  MalformedError,
  randomBytes,
  sha256,
  utf8,
} from "../protocol/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import { SECRET_BYTES } from "./blob_keys.ts";

/**
 * 88 bits. The server has what it needs to try codes at its leisure, unlike where two who are online
 * at the same time agree on a key by a short code; so the code alone has to be long enough.
 */
export const CODE_WORDS = 8;

const SALT = utf8("sotto share code 1");
const COST = { memoryKiB: 65_536, passes: 3 };

/** What one person reads out to another: where the file is, and words that give the key. */
export interface ShareCode {
  /** The server's address, or `undefined` if the code names none. */
  readonly server: string | undefined;
  /** 8 words of the list. */
  readonly words: readonly string[];
}

/** A new code for a file at `server`. */
export function newShareCode(server: string | undefined): ShareCode {
  const numbers = new Uint16Array(randomBytes(CODE_WORDS * 2).buffer);
  const words = Array.from(numbers, (each) => WORDS[each % WORDS.length]!);
  return { server, words };
}

/** `server/word-word-word-word-word-word-word-word`, or only the words. */
export function formatShareCode({ server, words }: ShareCode): string {
  const joined = words.join("-");
  return server === undefined ? joined : `${server}/${joined}`;
}

/**
 * A code as somebody types it: in either case, words separated by dashes or spaces.
 *
 * @throws {MalformedError} if it is none; the message names the first word that is not of the list.
 */
export function parseShareCode(text: string): ShareCode {
  const trimmed = text.trim();
  const slash = trimmed.lastIndexOf("/");
  const server = slash < 0 ? undefined : trimmed.slice(0, slash);
  const words = trimmed.slice(slash + 1).toLowerCase().split(/[\s-]+/);
  const unknown = words.findIndex((word) => !WORDS.includes(word));
  if (unknown >= 0) {
    throw new MalformedError(
      `Cannot read the code: word ${unknown + 1} is not of the list`,
    );
  }
  if (words.length !== CODE_WORDS) {
    throw new MalformedError(
      `Cannot read the code: ${words.length} words, not ${CODE_WORDS}`,
    );
  }
  return { server, words };
}

/** The secret that the words stand for, 32 bytes: by Argon2id (64 MiB, 3 passes), so about 0.2 s. */
export async function codeSecret({ words }: ShareCode): Promise<Bytes> {
  // No two codes are the same, so that one salt for all does no harm.
  const salt = (await sha256(SALT)).subarray(0, 16);
  return await argon2id(utf8(words.join("-")), salt, COST, SECRET_BYTES);
}
