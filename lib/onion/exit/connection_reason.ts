import type { EndReason } from "../stream/stream_error.ts";

/** What the system calls a failure, and what END says (SPEC.md §12.6). */
const REASONS: Readonly<Record<string, EndReason>> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  ENOTCONN: "reset",
  ETIMEDOUT: "timeout",
  ENETUNREACH: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  EHOSTDOWN: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  EAFNOSUPPORT: "unreachable",
  EINVAL: "unreachable",
  EACCES: "unreachable",
  EPERM: "unreachable",
  EMFILE: "resource-limit",
  ENFILE: "resource-limit",
  ENOBUFS: "resource-limit",
  ENOMEM: "resource-limit",
};

/** Why a connection failed, in a word that may go to the other end of the circuit. */
export function connectionReason(error: unknown): EndReason {
  if (!(error instanceof Error)) return "misc";
  if (error.name === "TimeoutError") return "timeout";
  const code = "code" in error ? error.code : undefined;
  return typeof code === "string" ? REASONS[code] ?? "misc" : "misc";
}
