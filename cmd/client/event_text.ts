import type { MailboxEvent } from "../../lib/mailbox/mod.ts";
import { ChannelError } from "../../lib/protocol/mod.ts";
import { describe } from "../errors.ts";
import { printable } from "../printable.ts";

/** What a person should read about an event that is no text; `undefined` if nothing. */
export function eventText(event: MailboxEvent): string | undefined {
  switch (event.kind) {
    case "new-contact":
      return `${event.address} is new here; compare safety numbers with: sotto client verify ${event.address}`;
    case "identity-changed":
      return `THE IDENTITY OF ${event.address} HAS CHANGED. Nothing is sent to them or read from them.\n` +
        `Ask them by another way; if they have new keys: sotto client contacts accept ${event.address}`;
    case "gap":
      return `${event.address}: ${event.missing} message${
        event.missing === 1 ? "" : "s"
      } before this one did not arrive (yet); a server could be holding them back`;
    case "unreadable":
      return `${event.address}: a letter could not be read (${
        printable(event.why)
      })`;
    case "moved":
      return "this account is used on another machine now; sotto client login --take-over takes it back";
    default:
      return undefined;
  }
}

/** What a person should read when there is no connection. */
export function offlineText(why: unknown): string {
  return why instanceof ChannelError
    ? "offline: the connection to the server was lost; trying again"
    : `offline: ${describe(why)}; trying again`;
}
