import type { Bytes } from "../protocol/mod.ts";
import { argon2id, utf8 } from "../protocol/mod.ts";
import type { Certificate } from "./certificate.ts";
import { MINIMUM_COST } from "./cost.ts";
import { WORDS } from "./words.ts";

/** What two people compare to be sure that nobody stands between them. */
export interface SafetyNumber {
  /** 12 groups of 5 digits. Each side stands behind six of them: 99.6 bits. */
  readonly groups: readonly string[];
  /** 8 words, for reading aloud. Each side stands behind four of them: 44 bits. */
  readonly words: readonly string[];
}

const SALT = utf8("sotto safety v1\0");
const GROUPS = 6;
const GROUP_BYTES = 5;
const GROUP_LIMIT = 100_000n;
const SIDE_WORDS = 4;
const WORD_BITS = 11n;
const WORD_BYTES = 6;

/**
 * The safety number of two accounts; the same on both sides, whoever asks.
 *
 * As Signal's numeric fingerprints do (libsignal, `fingerprint.rs`): each side gives 30 digits, each
 * group of five from five bytes of a slow hash, and the smaller half comes first. Here the hash is
 * Argon2id (19 MiB, 2 passes) instead of 5,200 rounds of SHA-512, and it covers the whole certificate:
 * address and all keys. To pass for one side, an attacker needs a certificate whose half is the same:
 * about 2^99 tries for the digits and 2^44 for the words, each with the memory of an Argon2id. So the
 * digits decide; the words are for quick comparison. Takes about 0.1 s.
 */
export async function safetyNumber(
  one: Certificate,
  other: Certificate,
): Promise<SafetyNumber> {
  const halves = await Promise.all([half(one), half(other)]);
  halves.sort((a, b) => compare(a.groups.join(""), b.groups.join("")));
  return {
    groups: halves.flatMap((each) => each.groups),
    words: halves.flatMap((each) => each.words),
  };
}

/** As people compare it: three rows of four groups, then the words. */
export function formatSafetyNumber({ groups, words }: SafetyNumber): string {
  const rows = [0, 4, 8].map((at) => groups.slice(at, at + 4).join(" "));
  return [...rows, words.join(" ")].join("\n");
}

async function half(certificate: Certificate): Promise<SafetyNumber> {
  const length = GROUPS * GROUP_BYTES + WORD_BYTES;
  const hash = await argon2id(certificate.bytes, SALT, MINIMUM_COST, length);
  const groups = Array.from({ length: GROUPS }, (_, i) => {
    const chunk = hash.subarray(i * GROUP_BYTES, (i + 1) * GROUP_BYTES);
    return (toInteger(chunk) % GROUP_LIMIT).toString().padStart(5, "0");
  });
  const bits = toInteger(hash.subarray(GROUPS * GROUP_BYTES));
  const words = Array.from({ length: SIDE_WORDS }, (_, i) => {
    const index = (bits >> (BigInt(i) * WORD_BITS)) % BigInt(WORDS.length);
    return WORDS[Number(index)]!;
  });
  return { groups, words };
}

function toInteger(bytes: Bytes): bigint {
  return BigInt(`0x${bytes.toHex()}`);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
