import { parseFingerprint } from "../lib/identity/mod.ts";
import type { Bytes } from "../lib/protocol/mod.ts";
import { describe, UsageError } from "./errors.ts";

/**
 * The fingerprint (32 bytes) that a flag names.
 *
 * @param hint what the flag takes, for whoever gave something else.
 * @throws {UsageError} if it is none.
 */
export function parseFingerprintFlag(text: string, hint: string): Bytes {
  try {
    return parseFingerprint(text);
  } catch (error) {
    throw new UsageError(describe(error), { hint });
  }
}
