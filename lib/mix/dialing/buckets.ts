import type { Bytes } from "../../protocol/mod.ts";
import { Reader, Writer } from "../../protocol/mod.ts";
import { DIAL_BYTES } from "../sizes.ts";
import { FILTER_LIMIT, TOKEN_LIMIT, TokenFilter } from "./filter.ts";

/** The bucket that no filter is made of: the tokens of everybody who calls nobody go there. */
export const NOBODY = 0xffff_ffff;
/** How many buckets a dialing round can have. */
export const BUCKET_LIMIT = 65_536;
const BUCKET_BYTES = 4;

/**
 * The bucket of a person, which those who call this person leave tokens in: 0 to below `buckets`.
 *
 * @param certificateId 32 bytes, a hash: its first 48 bits decide.
 * @param buckets 1 to 65,536.
 * @throws {RangeError} if `buckets` is not.
 */
export function bucketOf(certificateId: Bytes, buckets: number): number {
  checkBuckets(buckets);
  const view = new DataView(
    certificateId.buffer,
    certificateId.byteOffset,
    certificateId.byteLength,
  );
  return (view.getUint32(0) * 0x1_0000 + view.getUint16(4)) % buckets;
}

/**
 * The filters of a dialing round's buckets, in order. What is for nobody, or for a bucket that does not
 * exist, is left out. A bucket takes 47,662 tokens, and leaves out those behind them. `payloads` are
 * overwritten by zeros: after the round there is nothing left of it here.
 *
 * @param payloads bucket u32 ‖ token 32, any number behind one another.
 * @param buckets how many there are, 1 to 65,536.
 * @throws {RangeError} if the length of `payloads` is no multiple of 36, or `buckets` is out of its bounds.
 */
export function collectTokens(payloads: Bytes, buckets: number): TokenFilter[] {
  checkBuckets(buckets);
  if (payloads.length % DIAL_BYTES !== 0) {
    throw new RangeError(
      `Cannot collect ${payloads.length} bytes: no multiple of ${DIAL_BYTES}`,
    );
  }
  const view = new DataView(
    payloads.buffer,
    payloads.byteOffset,
    payloads.byteLength,
  );
  const tokens = Array.from({ length: buckets }, (): Bytes[] => []);
  for (let at = 0; at < payloads.length; at += DIAL_BYTES) {
    const found = tokens[view.getUint32(at)];
    if (found === undefined || found.length === TOKEN_LIMIT) continue;
    found.push(payloads.subarray(at + BUCKET_BYTES, at + DIAL_BYTES));
  }
  const filters = tokens.map(TokenFilter.build);
  payloads.fill(0);
  return filters;
}

/** The filters of all buckets as bytes: for each its length u32 and its bytes. */
export function encodeFilters(filters: readonly TokenFilter[]): Bytes {
  const writer = new Writer();
  for (const filter of filters) writer.prefixed(4, filter.encode());
  return writer.done();
}

/**
 * What `encodeFilters` made of the filters of so many buckets.
 *
 * @param buckets 1 to 65,536.
 * @throws {MalformedError} if there are fewer or more, one is no filter, or bytes are missing or left.
 * @throws {RangeError} if `buckets` is out of its bounds.
 */
export function parseFilters(bytes: Bytes, buckets: number): TokenFilter[] {
  checkBuckets(buckets);
  const reader = new Reader(bytes);
  const filters: TokenFilter[] = [];
  while (filters.length < buckets) {
    filters.push(TokenFilter.parse(reader.prefixed(4, FILTER_LIMIT)));
  }
  reader.end();
  return filters;
}

function checkBuckets(buckets: number): void {
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > BUCKET_LIMIT) {
    throw new RangeError(`Cannot make ${buckets} buckets`);
  }
}
