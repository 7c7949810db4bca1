import type { Bytes } from "../bytes/bytes.ts";
import { attempt, subtle } from "./subtle.ts";

/** Cost of Argon2id (RFC 9106): memory in KiB, passes over it; always one lane. */
export interface Argon2Cost {
  /** Memory in KiB. */
  readonly memoryKiB: number;
  /** Passes over it. */
  readonly passes: number;
}

/**
 * Argon2id (RFC 9106) with one lane.
 *
 * @param salt at least 8 bytes; 16 by custom (RFC 9106 §3.1).
 * @param length of the output in bytes.
 */
export async function argon2id(
  password: Bytes,
  salt: Bytes,
  cost: Argon2Cost,
  length: number,
): Promise<Bytes> {
  return new Uint8Array(
    await attempt("stretch a passphrase by Argon2id", async () => {
      const key = await subtle.importKey(
        "raw-secret",
        password,
        { name: "Argon2id" },
        false,
        ["deriveBits"],
      );
      return await subtle.deriveBits(
        {
          name: "Argon2id",
          nonce: salt,
          memory: cost.memoryKiB,
          passes: cost.passes,
          parallelism: 1,
        },
        key,
        length * 8,
      );
    }),
  );
}
