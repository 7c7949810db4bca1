import type { Bytes } from "../../protocol/mod.ts";
import {
  concat,
  HASH_BYTES,
  hkdfSha256,
  u32,
  utf8,
} from "../../protocol/mod.ts";

const GENERATION = utf8("sotto mix generation v1");

/** What messages are sealed under besides the keys of their round. */
export interface Generation {
  /** 0 before anything was agreed on. */
  readonly number: number;
  /** 32 bytes. */
  readonly secret: Bytes;
}

/** Generation 0: nothing is agreed on, the secret is 32 zeros. */
export function firstGeneration(): Generation {
  return { number: 0, secret: new Uint8Array(HASH_BYTES) };
}

/**
 * The generation after `generation`: HKDF of what was agreed on anew, salted by the secret before, so
 * that it takes both to know it.
 */
export async function nextGeneration(
  generation: Generation,
  agreed: Bytes,
): Promise<Generation> {
  const number = generation.number + 1;
  const info = concat(GENERATION, u32(number));
  return {
    number,
    secret: await hkdfSha256(agreed, generation.secret, info, HASH_BYTES),
  };
}
