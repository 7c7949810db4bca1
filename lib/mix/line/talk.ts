import type { Certificate } from "../../identity/mod.ts";
import type { Connection } from "./connector.ts";
import { OutgoingCall } from "./outgoing_call.ts";

/** Called, not answered yet; accepted, nothing heard yet; talking; hung up, and waiting for what was said. */
export type TalkStage = "calling" | "answering" | "talking" | "leaving";

/** How it stands between oneself and one other person. */
export interface Talk {
  /** The other person. */
  readonly certificate: Certificate;
  /** What has come of it. */
  stage: TalkStage;
  /** One's own call, while the stage is `calling`. */
  call: OutgoingCall | undefined;
  /** Nothing before a token has been left, or while keys are made. */
  connection: Connection | undefined;
  /** Start of the dialing round whose call was accepted; -Infinity for one's own call. */
  readonly dialedAt: number;
  /** When it began, in milliseconds since 1970. */
  readonly since: number;
}

/** A talk that begins: one's own call, or, if `dialedAt` is given, the answer to theirs. */
export function beginTalk(
  certificate: Certificate,
  now: number,
  dialedAt?: number,
): Talk {
  const calls = dialedAt === undefined;
  return {
    certificate,
    stage: calls ? "calling" : "answering",
    call: calls ? new OutgoingCall(now) : undefined,
    connection: undefined,
    dialedAt: dialedAt ?? -Infinity,
    since: now,
  };
}
