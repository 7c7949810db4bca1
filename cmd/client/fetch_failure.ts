import { httpRefusal } from "../../lib/onion/front/refusal.ts";
import type {
  EndReason,
  StreamError,
} from "../../lib/onion/stream/stream_error.ts";
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

/** Whether `failure`, of a stream, is worth another attempt. */
export function isPassing(failure: StreamError | undefined): boolean {
  return failure !== undefined && PASSING.has(failure.reason);
}

/**
 * Why a fetch failed, for a person.
 *
 * @param failure of the stream beneath it, if that is what failed.
 */
export function fetchFailure(
  error: unknown,
  failure: StreamError | undefined,
): string {
  if (failure !== undefined) return httpRefusal(failure.reason).text;
  const cause = error instanceof Error && error.cause instanceof Error
    ? error.cause
    : error;
  // "error sending request for url (...): client error (Connect): invalid peer certificate: ..."
  return describe(cause)
    .replace(/^error sending request for url \(.*?\): /, "")
    .replace(/^client error \(\w+\): /, "");
}

/** What the person can do about it. */
export function fetchHint(
  failure: StreamError | undefined,
): string | undefined {
  switch (failure?.reason) {
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
