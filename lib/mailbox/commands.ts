import type { CommandTable } from "../protocol/mod.ts";
import { bytes, integer, long, verb } from "../protocol/mod.ts";
import { CERTIFICATE, DONE } from "../account/mod.ts";

/** What is said inside submissions about letters (SPEC.md §6). */

export const PERSON = bytes(0x8100, "PERSON", "somebody's address, name@zone");
export const LETTER_ID = bytes(
  0x4100,
  "LETTER-ID",
  "chosen by the sender; the same when a letter is posted again",
);
export const DEVICE_ID = bytes(
  0x4101,
  "DEVICE-ID",
  "which of a person's machines holds the sessions",
);
export const LETTER = bytes(
  0x9100,
  "LETTER",
  "a sealed letter, 546 or 1710 bytes",
);
export const PREKEY_BUNDLE = bytes(
  0x9101,
  "PREKEY-BUNDLE",
  "signed prekeys, 1329 bytes",
);
export const ONE_TIME_PREKEYS = bytes(
  0x9102,
  "ONE-TIME-PREKEYS",
  "number and key of each, 36 bytes each",
);
export const SEQUENCES = bytes(
  0x9103,
  "SEQUENCES",
  "numbers of letters, 8 bytes each",
);
export const PREKEYS_LEFT = integer(
  0x2100,
  "PREKEYS-LEFT",
  "how many one-time prekeys the server still has",
);
export const RETENTION = integer(
  0x2101,
  "RETENTION",
  "seconds for which a letter waits",
);
export const WAITING = integer(0x2102, "WAITING", "how many letters wait");
export const SEQUENCE = long(
  0x3100,
  "SEQUENCE",
  "number of a letter in the recipient's mailbox",
);
export const STORED_AT = long(
  0x3101,
  "STORED-AT",
  "when the server stored a letter, in milliseconds since 1970",
);

export const FIND_PERSON = verb(0x7100, "FIND-PERSON", "who is that?");
export const FOUND = verb(0x7101, "FOUND", "this certificate");
export const FETCH_PREKEYS = verb(
  0x7102,
  "FETCH-PREKEYS",
  "what is needed to write the first letter to a person",
);
export const PREKEYS = verb(0x7103, "PREKEYS", "this");
export const PUBLISH_PREKEYS = verb(
  0x7104,
  "PUBLISH-PREKEYS",
  "own prekeys for others to fetch",
);
export const PUBLISHED = verb(0x7105, "PUBLISHED", "others can fetch them now");
export const MOVE_MAILBOX = verb(
  0x7106,
  "MOVE-MAILBOX",
  "from now on this device holds the sessions; replaces all prekeys",
);
export const OPEN_MAILBOX = verb(
  0x7107,
  "OPEN-MAILBOX",
  "send me what waits and what comes",
);
export const OPENED = verb(0x7108, "OPENED", "it follows");
export const POST = verb(0x7109, "POST", "a letter for a person");
export const STORED = verb(0x710a, "STORED", "the letter is on disk");
export const DELIVER = verb(0x710b, "DELIVER", "a letter for you");
export const ACKNOWLEDGE = verb(
  0x710c,
  "ACKNOWLEDGE",
  "these letters are safe here; forget them",
);
export const MOVED = verb(
  0x710d,
  "MOVED",
  "another device holds the sessions now",
);

/** All commands about letters. */
export const MAILBOX: CommandTable = {
  service: "mailbox",
  parameters: [
    PERSON,
    LETTER_ID,
    DEVICE_ID,
    LETTER,
    PREKEY_BUNDLE,
    ONE_TIME_PREKEYS,
    SEQUENCES,
    PREKEYS_LEFT,
    RETENTION,
    WAITING,
    SEQUENCE,
    STORED_AT,
    CERTIFICATE,
  ],
  verbs: [
    FIND_PERSON,
    FOUND,
    FETCH_PREKEYS,
    PREKEYS,
    PUBLISH_PREKEYS,
    PUBLISHED,
    MOVE_MAILBOX,
    OPEN_MAILBOX,
    OPENED,
    POST,
    STORED,
    DELIVER,
    ACKNOWLEDGE,
    MOVED,
    DONE,
  ],
};
