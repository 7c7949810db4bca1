/**
 * Letters between people: end-to-end sessions (PQXDH, Double Ratchet), messages of one size, the
 * server that keeps letters until they are fetched, and the client that loses none (SPEC.md §6). The
 * pure half knows no sockets, files or clocks; `client/` works over an account's session and a vault,
 * `server.ts` behind an account server. It does not hide who writes to whom from the server.
 *
 * @module
 */
export { AddressBook } from "./client/address_book.ts";
export { startAfresh } from "./client/fresh_start.ts";
export { MailboxClient } from "./client/mailbox_client.ts";
export { MAILBOX } from "./commands.ts";
export { FOLLOWING_LETTER_BYTES, OPENING_LETTER_BYTES } from "./letter.ts";
export { DEFAULT_MAILBOX_LIMITS, MailboxService } from "./server.ts";
export { TEXT_LIMIT } from "../peer/mod.ts";

export type { Pinning } from "./client/address_book.ts";
export type { Contact } from "./client/contact.ts";
export type { EntryState, HistoryEntry } from "./client/history_entry.ts";
export type { MailboxClientOptions, Opened } from "./client/mailbox_client.ts";
export type { MailboxEvent } from "./client/mailbox_event.ts";
export type { MailboxLimits } from "./server.ts";
