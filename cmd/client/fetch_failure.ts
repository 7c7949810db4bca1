import {
  httpRefusal,
  NoAnswerError,
  StreamError,
} from "../../lib/onion/mod.ts";
import type { EndReason } from "../../lib/onion/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";
import { describe } from "../errors.ts";

/** Another attempt, on another circuit, may do better. */
const PASSING: ReadonlySet<EndReason> = new Set([
  "unreachable",
  "timeout",
  "reset",
  "resource-limit",
  "protocol",
  "circuit-gone",
  "no-circuit",
  "misc",
]);

/** What the platform says when a connection breaks. */
const BROKEN = [
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionReset,
  Deno.errors.UnexpectedEof,
];

/** Whether a request that failed like this is worth another attempt. */
export function isPassing(error: unknown): boolean {
  return error instanceof StreamError
    ? PASSING.has(error.reason)
    : error instanceof NoAnswerError || isBroken(error);
}

/** Why a fetch failed, for a person. */
export function fetchFailure(error: unknown): string {
  if (error instanceof StreamError) return httpRefusal(error.reason).text;
  if (error instanceof NoAnswerError) return "the server did not answer";
  if (error instanceof MalformedError) {
    return "the server does not speak HTTP, or ended too early";
  }
  return isBroken(error) ? "the connection broke" : describe(error);
}

/** What the person can do about it. */
export function fetchHint(error: unknown): string | undefined {
  if (error instanceof Deno.errors.InvalidData) {
    return "somebody on the way may show a certificate of their own; --cacert trusts one of yours";
  }
  switch (error instanceof StreamError ? error.reason : undefined) {
    case "resolve-failed":
      return "check the name";
    case "exit-policy":
      return "exits refuse some ports, and addresses of private networks";
    case "no-circuit":
      return "is the network reachable from here? sotto client circuits tells";
    default:
      return undefined;
  }
}

function isBroken(error: unknown): boolean {
  return BROKEN.some((kind) => error instanceof kind);
}
