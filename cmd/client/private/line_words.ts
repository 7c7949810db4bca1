import type { LineEvent } from "../../../lib/mix/mod.ts";
import { clockText } from "./clock_text.ts";

/**
 * What a person should read about an event of the line; `undefined` if nothing.
 *
 * @param name of whom it is about, for people.
 */
export function lineWords(event: LineEvent, name: string): string | undefined {
  switch (event.kind) {
    case "ringing":
      return `${name} is calling: /accept ${name} or /refuse ${name}`;
    case "missed": {
      const at = clockText(event.call.dialedAt);
      return event.busy
        ? `${name} called at ${at} and was told that you are busy`
        : `missed a call of ${name} at ${at}`;
    }
    case "dialed":
      return `called ${name} in the round of ${
        clockText(event.round)
      }; they can answer for ten minutes`;
    case "unanswered":
      return `${name} has not answered; /call ${name} tries again, and they see that you called`;
    case "answered":
      return `${name} is there`;
    case "refused":
      return event.reason === "busy"
        ? `${name} has no room for another conversation now`
        : `${name} does not want to talk now`;
    case "ended":
      return endWords(event, name);
    case "generation":
      return generationWords(event.generation);
    case "round":
      return event.outcome === "garbled"
        ? `what came back in the round of ${
          clockText(event.round)
        } opens under no key: a mix misbehaves, or somebody else wrote there`
        : undefined;
    case "text":
    case "state":
      return undefined;
  }
}

function endWords(
  { reason, undelivered }: LineEvent & { readonly kind: "ended" },
  name: string,
): string {
  const left = undelivered === 0
    ? ""
    : `; ${undelivered} of your texts may not have arrived`;
  switch (reason) {
    case "left":
      return `the conversation with ${name} is over${left}`;
    case "left by peer":
      return `${name} has hung up${left}`;
    case "nobody there":
      return `${name} was not there any more${left}`;
    case "called anew":
      return `another call between you takes the place of this one${left}`;
  }
}

function generationWords(generation: number): string | undefined {
  switch (generation) {
    case 1:
      return "secured: keys of this conversation alone, which are gone when it is over";
    case 2:
      return "quantum-safe from here on";
    default:
      return undefined;
  }
}
