import { MalformedError } from "../../protocol/mod.ts";
import { StreamError } from "../stream/stream_error.ts";
import { SinkError } from "./carry_body.ts";

/** What the platform says when a connection has ended, for whatever reason. */
const CONNECTION_ENDS = [
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NotConnected,
  Deno.errors.TimedOut,
  Deno.errors.UnexpectedEof,
];

/** Whether clients, servers or circuits can cause this error at will: then it is not worth a word. */
export function isOrdinaryEnd(error: unknown): boolean {
  return error instanceof StreamError || error instanceof MalformedError ||
    error instanceof SinkError ||
    (error instanceof Error && error.name === "AbortError") ||
    CONNECTION_ENDS.some((kind) => error instanceof kind);
}
