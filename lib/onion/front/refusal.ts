import type { EndReason } from "../stream/stream_error.ts";
import { SOCKS5_REPLIES } from "./socks5.ts";

/** How a failed stream is told to a client that speaks HTTP. */
export interface HttpRefusal {
  /** The status of the response. */
  readonly status: number;
  /** The error of `Proxy-Status` (RFC 9209 §2.3). */
  readonly error: string;
  /** For a person. */
  readonly text: string;
}

const { failure, notAllowed, networkUnreachable } = SOCKS5_REPLIES;
const { hostUnreachable, refused, ttlExpired } = SOCKS5_REPLIES;

/** RFC 1928 §6 has fewer words than END; each reason becomes the one that says most of it. */
const SOCKS5: Readonly<Record<EndReason, number>> = {
  "done": failure,
  "resolve-failed": hostUnreachable,
  "refused": refused,
  "exit-policy": notAllowed,
  "unreachable": networkUnreachable,
  "timeout": ttlExpired,
  "reset": refused,
  "resource-limit": failure,
  "protocol": failure,
  "circuit-gone": failure,
  "no-circuit": failure,
  "misc": failure,
};

const HTTP: Readonly<Record<EndReason, HttpRefusal>> = {
  "done": {
    status: 502,
    error: "connection_terminated",
    text: "it closed the connection at once",
  },
  "resolve-failed": {
    status: 502,
    error: "dns_error",
    text: "the name does not resolve",
  },
  "refused": {
    status: 502,
    error: "connection_refused",
    text: "it refused the connection",
  },
  "exit-policy": {
    status: 403,
    error: "destination_ip_prohibited",
    text: "no relay is willing to connect there",
  },
  "unreachable": {
    status: 502,
    error: "destination_ip_unroutable",
    text: "there is no way to it",
  },
  "timeout": {
    status: 504,
    error: "connection_timeout",
    text: "it did not answer in time",
  },
  "reset": {
    status: 502,
    error: "connection_terminated",
    text: "it broke the connection",
  },
  "resource-limit": {
    status: 503,
    error: "connection_limit_reached",
    text: "the relay has too much to do",
  },
  "protocol": {
    status: 502,
    error: "proxy_internal_error",
    text: "a relay broke the rules",
  },
  "circuit-gone": {
    status: 502,
    error: "connection_terminated",
    text: "the circuit broke",
  },
  "no-circuit": {
    status: 503,
    error: "destination_unavailable",
    text: "no circuit could be built",
  },
  "misc": {
    status: 502,
    error: "destination_unavailable",
    text: "the connection failed",
  },
};

/** The SOCKS5 reply for a stream that could not be opened. */
export function socks5Code(reason: EndReason): number {
  return SOCKS5[reason];
}

/** The same for HTTP. */
export function httpRefusal(reason: EndReason): HttpRefusal {
  return HTTP[reason];
}
