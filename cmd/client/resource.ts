/** What is known of a resource, so that the rest of it can be asked for later. */
export interface Resource {
  /** What `If-Range` may name: a strong ETag or a date (RFC 9110 §13.1.5). */
  readonly validator: string | undefined;
  /** Its length in bytes. */
  readonly total: number | undefined;
}

/** What can be known of a resource from a whole response. */
export function resourceOf({ headers, status }: Response): Resource {
  const length = headers.get("content-length");
  return {
    validator: validatorOf(headers),
    total: status === 200 && /^\d{1,15}$/.test(length ?? "")
      ? Number(length)
      : undefined,
  };
}

/**
 * A weak ETag does not promise the same bytes, and neither does a date that is so close to that of the
 * response that more may have happened in the same second (RFC 9110 §8.8.2.2).
 */
function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get("etag");
  if (etag !== null && /^"[^"]*"$/.test(etag)) return etag;
  const modified = headers.get("last-modified");
  const date = headers.get("date");
  if (modified === null || date === null) return undefined;
  return Date.parse(date) - Date.parse(modified) >= 60_000
    ? modified
    : undefined;
}

/** Whether a whole response is of what was known before. */
export function isSame(
  known: Resource | undefined,
  response: Response,
): boolean {
  return known?.validator !== undefined &&
    known.validator === validatorOf(response.headers);
}
