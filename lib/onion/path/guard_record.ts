import { formatFingerprint, parseFingerprint } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";

/** Guards that a client ever has to do with at a time. */
export const GUARD_LIMIT = 20;

/** One guard, as it is kept from one start to the next. */
export interface GuardRecord {
  /** Fingerprint, 32 bytes. */
  readonly fingerprint: Bytes;
  /** When it came in, in seconds since 1970; up to 12 days earlier than in truth. */
  readonly addedAt: number;
  /** Since when the consensus does not have it as a guard, in seconds since 1970. */
  readonly unlistedSince?: number | undefined;
}

/** The guards of a client as data that JSON can hold. */
export interface GuardsData {
  /** Of this format. */
  readonly version: 1;
  /** The best first. */
  readonly guards: readonly {
    /** 52 characters of base32. */
    readonly fingerprint: string;
    /** See {@linkcode GuardRecord}. */
    readonly addedAt: number;
    /** See {@linkcode GuardRecord}; null while it is listed. */
    readonly unlistedSince: number | null;
  }[];
}

/** The data that stand for `records`. */
export function encodeGuards(records: readonly GuardRecord[]): GuardsData {
  return {
    version: 1,
    guards: records.map(({ fingerprint, addedAt, unlistedSince = null }) => ({
      fingerprint: formatFingerprint(fingerprint, ""),
      addedAt,
      unlistedSince,
    })),
  };
}

/**
 * Inverse of `encodeGuards`, for what has been read from a file.
 *
 * @throws {MalformedError} if it is anything else: other members, more than 20 guards, one twice.
 */
export function parseGuards(data: unknown): readonly GuardRecord[] {
  const { version, guards } = members(data, ["guards", "version"]);
  if (version !== 1) throw malformed("an unknown version");
  if (!Array.isArray(guards) || guards.length > GUARD_LIMIT) {
    throw malformed(`no list of at most ${GUARD_LIMIT} guards`);
  }
  const records = guards.map(parseGuard);
  const prints = new Set(records.map((each) => each.fingerprint.toHex()));
  if (prints.size !== records.length) throw malformed("a guard stands twice");
  return records;
}

function parseGuard(data: unknown): GuardRecord {
  const { fingerprint, addedAt, unlistedSince } = members(data, [
    "addedAt",
    "fingerprint",
    "unlistedSince",
  ]);
  if (typeof fingerprint !== "string") throw malformed("no fingerprint");
  const bytes = parseFingerprint(fingerprint);
  if (formatFingerprint(bytes, "") !== fingerprint) {
    throw malformed("a fingerprint is not in its one spelling");
  }
  const record = { fingerprint: bytes, addedAt: seconds(addedAt) };
  return unlistedSince === null
    ? record
    : { ...record, unlistedSince: seconds(unlistedSince) };
}

/** What `data` holds under `names`, which are all that it has. */
function members(
  data: unknown,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof data !== "object" || data === null || Array.isArray(data)) {
    throw malformed("no object where one belongs");
  }
  const found = Object.keys(data).sort();
  if (found.join() !== names.join()) throw malformed("other members");
  return { ...data };
}

function seconds(value: unknown): number {
  if (!Number.isSafeInteger(value) || value as number < 0) {
    throw malformed("a time that is none");
  }
  return value as number;
}

function malformed(seen: string): MalformedError {
  return new MalformedError(`Cannot read the guards: ${seen}`);
}
