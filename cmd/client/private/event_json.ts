import { RoundKind, RunMode } from "../../../lib/mix/mod.ts";
import type { LineEvent, MixClientEvent } from "../../../lib/mix/mod.ts";
import { describe } from "../../errors.ts";

/** What is known of an event, for programs. */
export type EventObject = Readonly<Record<string, unknown>>;

/** What happens on the line, as an object for programs. */
export function lineObject(event: LineEvent): EventObject {
  switch (event.kind) {
    case "ringing":
      return {
        event: "ringing",
        with: event.call.address,
        dialedAt: timeOf(event.call.dialedAt),
      };
    case "missed":
      return {
        event: "missed",
        with: event.call.address,
        dialedAt: timeOf(event.call.dialedAt),
        busy: event.busy,
      };
    case "text":
      return {
        event: "text",
        with: event.address,
        id: event.id,
        text: event.text,
        sentAt: timeOf(event.sentAt),
      };
    default: {
      const { kind, address, ...rest } = event;
      const round = "round" in rest && rest.round !== undefined
        ? { round: timeOf(rest.round) }
        : {};
      return { event: kind, with: address, ...rest, ...round };
    }
  }
}

/** What happens with rounds, the same way. */
export function roundsObject(event: MixClientEvent): EventObject {
  switch (event.type) {
    case "joined":
      return { event: "joined" };
    case "gone":
      return {
        event: "offline",
        why: describe(event.error),
        retryInMs: Math.round(event.retryIn),
      };
    case "chain": {
      const { kind, mode, period, slots, mixes } = event.chain;
      return {
        event: "chain",
        kind: kindName(kind),
        mode: mode === RunMode.CIRCUITS ? "circuits" : "rounds",
        periodMs: period,
        slots,
        mixes,
      };
    }
    case "refused":
      return { event: "refused-settings", why: describe(event.error) };
    case "clock":
      return {
        event: "clock",
        aheadMs: Math.round(event.clock.ahead),
        roundTripMs: Math.round(event.clock.roundTrip),
      };
    case "adapted":
      return { event: "adapted", earlierMs: Math.round(event.earlier) };
    case "round":
      return {
        event: "round-over",
        kind: kindName(event.round.kind),
        round: timeOf(event.round.start),
        outcome: event.outcome,
        real: event.real,
        missing: event.missing,
      };
    case "fault":
      return { event: "fault", why: describe(event.error) };
  }
}

function kindName(kind: RoundKind): string {
  return kind === RoundKind.EXCHANGE ? "exchange" : "dialing";
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
