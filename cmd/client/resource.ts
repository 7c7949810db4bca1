import type { WebResponse } from "../../lib/onion/mod.ts";

/** What is known of a resource, so that the rest of it can be asked for later. */
export interface Resource {
  /** What `If-Range` may name: a strong ETag or a date (RFC 9110 §13.1.5). */
  readonly validator: string | undefined;
  /** Its length in bytes. */
  readonly total: number | undefined;
}

/** What can be known of a resource from a whole response. */
export function resourceOf(response: WebResponse): Resource {
  const length = response.field("content-length") ?? "";
  return {
    validator: validatorOf(response),
    total: response.status === 200 && /^\d{1,15}$/.test(length)
      ? Number(length)
      : undefined,
  };
}

/**
 * A weak ETag does not promise the same bytes, and neither does a date that is so close to that of the
 * response that more may have happened in the same second (RFC 9110 §8.8.2.2).
 */
function validatorOf(response: WebResponse): string | undefined {
  const etag = response.field("etag");
  if (etag !== undefined && /^"[^"]*"$/.test(etag)) return etag;
  const modified = response.field("last-modified");
  const date = response.field("date");
  if (modified === undefined || date === undefined) return undefined;
  return Date.parse(date) - Date.parse(modified) >= 60_000
    ? modified
    : undefined;
}

/** Whether a whole response is of what was known before. */
export function isSame(
  known: Resource | undefined,
  response: WebResponse,
): boolean {
  return known?.validator !== undefined &&
    known.validator === validatorOf(response);
}
