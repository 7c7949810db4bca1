import { RedirectError } from "./redirect_error.ts";
import type { WebRequest } from "./web_request.ts";
import type { WebResponse } from "./web_response.ts";

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** What only the origin may see for which it was meant. */
const SECRET: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "host",
  "proxy-authorization",
]);

/**
 * Where a response sends us, if it does (RFC 9110 §15.4).
 *
 * @throws {RedirectError} if that is no place in the web.
 */
export function redirectOf(response: WebResponse): URL | undefined {
  const location = response.field("location");
  if (!REDIRECTS.has(response.status) || location === undefined) {
    return undefined;
  }
  const url = URL.parse(location, response.url.href);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new RedirectError(
      "Cannot follow a redirect: it leads out of the web",
    );
  }
  url.hash = "";
  return url;
}

/** The request as it goes to the place that the response with `status` to it has named. */
export function redirected(
  request: WebRequest,
  status: number,
  url: URL,
): WebRequest {
  const { method } = request;
  const becomesGet = (status === 303 && method !== "HEAD") ||
    (status < 303 && method === "POST");
  const isSameOrigin = url.origin === request.url.origin;
  if (isSameOrigin && url.username === "" && url.password === "") {
    url.username = request.url.username;
    url.password = request.url.password;
  }
  return {
    url,
    method: becomesGet ? "GET" : method,
    fields: request.fields.filter(([name]) => {
      const lower = name.toLowerCase();
      return (isSameOrigin || !SECRET.has(lower)) &&
        !(becomesGet && lower.startsWith("content-"));
    }),
    body: becomesGet ? undefined : request.body,
  };
}
