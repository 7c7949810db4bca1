import { Fields } from "../front/fields.ts";
import type { Field } from "../front/fields.ts";
import { formatRequestHead } from "../front/http_head.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { utf8 } from "../../protocol/mod.ts";

/** What is asked of a web server. */
export interface WebRequest {
  /** http: or https:. */
  readonly url: URL;
  readonly method: string;
  /** Characters up to U+00FF only, and none that end a line. */
  readonly fields: readonly Field[];
  readonly body: Bytes | undefined;
}

/** The bytes of its head; the connection is for this request only. */
export function webRequestHead(request: WebRequest): Bytes {
  const { url, method, fields, body } = request;
  const given = new Set(fields.map(([name]) => name.toLowerCase()));
  const ours: readonly Field[] = [
    ["Host", url.host],
    ...authorizationOf(url),
  ];
  const length: readonly Field[] = body === undefined
    ? []
    : [["Content-Length", String(body.length)]];
  return formatRequestHead({
    method,
    target: url.pathname + url.search,
    minor: 1,
    fields: new Fields([
      ...ours.filter(([name]) => !given.has(name.toLowerCase())),
      ...fields,
      ...length,
      ["Connection", "close"],
    ]),
  });
}

/** User and password before the host of a URL (RFC 7617). */
function authorizationOf({ username, password }: URL): readonly Field[] {
  if (username === "" && password === "") return [];
  const text = `${decoded(username)}:${decoded(password)}`;
  return [["Authorization", `Basic ${utf8(text).toBase64()}`]];
}

/** What is no percent-encoding stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
