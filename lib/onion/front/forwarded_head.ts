import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import type { Framing } from "./body_framing.ts";
import { responseFraming } from "./body_framing.ts";
import type { Field } from "./fields.ts";
import { Fields } from "./fields.ts";
import type { RequestHead, ResponseHead } from "./http_head.ts";
import { formatRequestHead, formatResponseHead } from "./http_head.ts";
import type { HttpTarget } from "./http_target.ts";

const CHUNKED: Field = ["Transfer-Encoding", "chunked"];
const CLOSE: Field = ["Connection", "close"];

/** A response as it goes on to the client, and what comes of it. */
export interface ForwardedResponse {
  /** The head for the client. */
  readonly bytes: Bytes;
  /** How the body comes from the server. */
  readonly framing: Framing;
  /** Whether it goes to the client in chunks though it came without. */
  readonly inChunks: boolean;
  /** Whether the client's connection is good for another request. */
  readonly keepsClient: boolean;
  /** Whether the server's is. */
  readonly keepsServer: boolean;
}

/**
 * The head of a request as it goes on to its server. Nothing in it tells of the proxy: there is no
 * `Via` and no `Forwarded`, which would tell apart who uses one.
 */
export function forwardRequest(
  { method, minor, fields }: RequestHead,
  { authority, path }: HttpTarget & { readonly form: "absolute" },
  framing: Framing,
): Bytes {
  return formatRequestHead({
    method,
    target: path,
    minor,
    fields: new Fields([
      ["Host", authority],
      ...fields.forward().list,
      ...framing.kind === "chunked" ? [CHUNKED] : [],
    ]),
  });
}

/**
 * The response to `request` as it goes on to the client.
 *
 * @throws {MalformedError} if nobody can tell where its body ends, or the client cannot take it.
 */
export function forwardResponse(
  request: RequestHead,
  head: ResponseHead,
): ForwardedResponse {
  const framing = responseFraming(head, request.method);
  const isOld = request.minor === 0;
  if (isOld && framing.kind === "chunked") {
    throw new MalformedError("Cannot forward a response: chunks in HTTP/1.0");
  }
  const inChunks = framing.kind === "end" && !isOld;
  const keepsClient = !isOld && !closes(request.fields) &&
    !request.fields.tokens("proxy-connection").includes("close");
  const fields = new Fields([
    ...head.fields.forward().list,
    ...framing.kind === "chunked" || inChunks ? [CHUNKED] : [],
    ...keepsClient ? [] : [CLOSE],
  ]);
  return {
    bytes: formatResponseHead({ ...head, fields }),
    framing,
    inChunks,
    keepsClient,
    keepsServer: request.minor > 0 && head.minor > 0 &&
      framing.kind !== "end" && !closes(head.fields),
  };
}

function closes(fields: Fields): boolean {
  return fields.tokens("connection").includes("close");
}
