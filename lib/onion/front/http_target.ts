import { MalformedError } from "../../protocol/mod.ts";
import type { Destination } from "./destination.ts";
import { parseAuthority } from "./destination.ts";
import type { RequestHead } from "./http_head.ts";

/** What the target of a request says of where it shall go (RFC 9112 §3.2). */
export type HttpTarget =
  /** `CONNECT host:port`. */
  | { readonly form: "authority"; readonly destination: Destination }
  /** `GET http://host/path`: to the host named there, for `path`. */
  | {
    readonly form: "absolute";
    readonly destination: Destination;
    readonly authority: string;
    readonly path: string;
  }
  /** `GET /path`: the client takes this for a web server. */
  | { readonly form: "origin" };

const HTTP_PORT = 80;

/**
 * Reads the target of a request.
 *
 * @throws {MalformedError} if it is of none of these forms; `https://` is not, for the client itself
 * must see to the encryption.
 */
export function parseTarget({ method, target }: RequestHead): HttpTarget {
  if (method === "CONNECT") {
    return { form: "authority", destination: parseAuthority(target) };
  }
  if (target.startsWith("/")) return { form: "origin" };
  const parts = /^http:\/\/([^/?#]*)([/?][^#]*)?$/i.exec(target);
  if (parts === null) {
    throw new MalformedError("Cannot use a target: it is no http:// URL");
  }
  const [, authority = "", rest = ""] = parts;
  const path = rest === "" && method === "OPTIONS"
    ? "*"
    : rest.startsWith("/")
    ? rest
    : `/${rest}`;
  const destination = parseAuthority(authority, HTTP_PORT);
  return { form: "absolute", destination, authority, path };
}
