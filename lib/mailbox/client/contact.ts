import type { Bytes } from "../../protocol/mod.ts";
import {
  fromUtf8,
  MalformedError,
  Reader,
  utf8,
  Writer,
} from "../../protocol/mod.ts";
import type { RecordKind } from "./transaction.ts";

const ADDRESS_LIMIT = 255;
const CERTIFICATE_LIMIT = 2_048;
const VERSION = 1;

/** Somebody that letters are exchanged with. */
export interface Contact {
  /** `name@zone`. */
  readonly address: string;
  /** The certificate that counts, encoded. */
  readonly certificate: Bytes;
  /** Whether the safety number was compared. */
  readonly verified: boolean;
  /** Another certificate that turned up since; nothing is sent until the user has decided. */
  readonly changed: Bytes | null;
  /** Ids of the sessions held, 8 bytes each, the one to write in first. */
  readonly sessions: readonly Bytes[];
  /** Number of the next entry of the history, from 1. */
  readonly nextEntry: number;
  /** Entries that wait to be sealed. */
  readonly unsealed: readonly number[];
  /** Ids of texts that have come and were not shown, 8 bytes each. */
  readonly unread: readonly Bytes[];
}

/** A contact that nothing was exchanged with. */
export function newContact(address: string, certificate: Bytes): Contact {
  return {
    address,
    certificate,
    verified: false,
    changed: null,
    sessions: [],
    nextEntry: 1,
    unsealed: [],
    unread: [],
  };
}

/** Contacts by the blinded address. */
export const CONTACTS: RecordKind<Contact> = {
  kind: "contact",
  encode(contact) {
    const writer = new Writer(1_024).u8(VERSION)
      .prefixed(1, utf8(contact.address))
      .prefixed(2, contact.certificate)
      .u8(contact.verified ? 1 : 0)
      .prefixed(2, contact.changed ?? new Uint8Array(0))
      .u32(contact.nextEntry)
      .u8(contact.sessions.length);
    for (const id of contact.sessions) writer.bytes(id);
    writer.u32(contact.unsealed.length);
    for (const entry of contact.unsealed) writer.u32(entry);
    writer.u32(contact.unread.length);
    for (const id of contact.unread) writer.bytes(id);
    return writer.done();
  },
  decode(bytes) {
    const reader = new Reader(bytes);
    const version = reader.u8();
    if (version !== VERSION) {
      throw new MalformedError(`Cannot read a contact: version ${version}`);
    }
    const address = fromUtf8(reader.prefixed(1, ADDRESS_LIMIT));
    const certificate = reader.prefixed(2, CERTIFICATE_LIMIT);
    const verified = reader.u8() === 1;
    const changed = reader.prefixed(2, CERTIFICATE_LIMIT);
    const nextEntry = reader.u32();
    const sessions = Array.from({ length: reader.u8() }, () => reader.take(8));
    const unsealed: number[] = [];
    for (let left = reader.u32(); left > 0; left--) unsealed.push(reader.u32());
    const unread: Bytes[] = [];
    for (let left = reader.u32(); left > 0; left--) unread.push(reader.take(8));
    reader.end();
    return {
      address,
      certificate,
      verified,
      changed: changed.length === 0 ? null : changed,
      sessions,
      nextEntry,
      unsealed,
      unread,
    };
  },
};
