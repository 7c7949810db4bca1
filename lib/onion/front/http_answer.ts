import type { Bytes } from "../../protocol/mod.ts";
import { concat, utf8 } from "../../protocol/mod.ts";
import type { StreamError } from "../stream/stream_error.ts";
import type { Destination } from "./destination.ts";
import { formatAuthority } from "./destination.ts";
import type { Field } from "./fields.ts";
import { Fields } from "./fields.ts";
import { formatResponseHead } from "./http_head.ts";
import { httpRefusal } from "./refusal.ts";

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  407: "Proxy Authentication Required",
  431: "Request Header Fields Too Large",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
};

/** What a client that asked for a tunnel is told when it stands. */
export const TUNNEL_STANDS: Bytes = utf8(
  "HTTP/1.1 200 Connection established\r\n\r\n",
);

/** A whole response of our own, after which the connection ends. */
export function answerText(
  status: number,
  text: string,
  more: readonly Field[] = [],
): Bytes {
  return answer(status, "text/plain; charset=utf-8", `sotto: ${text}\n`, more);
}

/** The same for a page. */
export function answerPage(status: number, html: string): Bytes {
  return answer(status, "text/html; charset=utf-8", html, [
    [
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'",
    ],
  ]);
}

/** What a client is told whose stream did not come to be. */
export function answerRefusal(
  destination: Destination,
  { reason }: StreamError,
): Bytes {
  const { status, error, text } = httpRefusal(reason);
  const at = formatAuthority(destination);
  return answerText(status, `cannot reach ${at}: ${text}`, [
    ["Proxy-Status", `sotto; error=${error}; details="${reason}"`],
  ]);
}

/** What a client is told that must show who it is (RFC 9110 §15.5.8). */
export function answerChallenge(): Bytes {
  return answerText(407, "this proxy wants a user name and password", [
    ["Proxy-Authenticate", 'Basic realm="sotto"'],
  ]);
}

function answer(
  status: number,
  type: string,
  text: string,
  more: readonly Field[],
): Bytes {
  const body = utf8(text);
  const fields = new Fields([
    ["Content-Type", type],
    ["Content-Length", String(body.length)],
    ["Cache-Control", "no-store"],
    ["X-Content-Type-Options", "nosniff"],
    ...more,
    ["Connection", "close"],
  ]);
  const reason = REASONS[status] ?? "";
  return concat(formatResponseHead({ status, reason, minor: 1, fields }), body);
}
