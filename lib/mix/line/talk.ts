import type { Certificate } from "../../identity/mod.ts";
import type { Connection } from "./connector.ts";
import type { OutgoingCall } from "./outgoing_call.ts";

/** How it stands between oneself and one other person. */
export interface Talk {
  /** The other person. */
  readonly certificate: Certificate;
  /** Called, not answered yet; accepted, nothing heard yet; talking; hung up, and waiting for what was said. */
  stage: "calling" | "answering" | "talking" | "leaving";
  /** One's own call, while the stage is `calling`. */
  call: OutgoingCall | undefined;
  /** Nothing before a token has been left, or while keys are made. */
  connection: Connection | undefined;
  /** Start of the dialing round whose call was accepted; -Infinity for one's own call. */
  readonly dialedAt: number;
  /** When it began, in milliseconds since 1970. */
  readonly since: number;
  /** Start of the last round in which the other person was there. */
  heardIn: number | undefined;
}
