import { MalformedError } from "../../protocol/mod.ts";
import type { Fields } from "./fields.ts";
import type { RequestHead, ResponseHead } from "./http_head.ts";

/** How the end of a body is told (RFC 9112 §6.3). */
export type Framing =
  /** There is none. */
  | { readonly kind: "none" }
  /** So many bytes. */
  | { readonly kind: "length"; readonly length: number }
  /** In chunks, the last of them empty. */
  | { readonly kind: "chunked" }
  /** The connection ends with it. */
  | { readonly kind: "end" };

/**
 * How the body of a request ends.
 *
 * @throws {MalformedError} if two readers could find different ends: that is how requests are smuggled
 * (RFC 9112 §11.2).
 */
export function requestFraming({ fields, minor }: RequestHead): Framing {
  return announced(fields, minor) ?? { kind: "none" };
}

/**
 * How the body of a response to a `method` request ends.
 *
 * @throws {MalformedError} if two readers could find different ends.
 */
export function responseFraming(
  { fields, minor, status }: ResponseHead,
  method: string,
): Framing {
  const framing = announced(fields, minor) ?? { kind: "end" };
  const bodiless = method === "HEAD" || status === 204 || status === 304;
  return bodiless ? { kind: "none" } : framing;
}

/** What the header says, if it says something. */
function announced(fields: Fields, minor: number): Framing | undefined {
  const codings = fields.values("transfer-encoding");
  const lengths = fields.values("content-length");
  if (codings.length > 0) {
    const coding = codings.join(",").toLowerCase();
    if (coding !== "chunked" || lengths.length > 0 || minor === 0) {
      throw new MalformedError("Cannot tell where a body ends: its coding");
    }
    return { kind: "chunked" };
  }
  const [first, ...others] = lengths;
  if (first === undefined) return undefined;
  const differs = others.some((other) => other !== first);
  // 15 digits are a safe integer.
  if (differs || !/^[0-9]{1,15}$/.test(first)) {
    throw new MalformedError("Cannot tell where a body ends: its length");
  }
  return { kind: "length", length: Number(first) };
}
