import type { Bytes, CommandTable, Parameter, Verb } from "../protocol/mod.ts";
import { bytes, integer, long, verb, Vocabulary } from "../protocol/mod.ts";

/** What is said to a controller, inside the channel (SPEC.md §11). */

export const PROVER: Parameter<Bytes> = bytes(
  0x9300,
  "PROVER",
  "the node certificate of whoever asks",
);
export const PROOF: Parameter<Bytes> = bytes(
  0x6300,
  "PROOF",
  "Ed25519 by PROVER over the handshake hash",
);
export const DESCRIPTOR: Parameter<Bytes> = bytes(
  0x9301,
  "DESCRIPTOR",
  "a relay descriptor",
);
export const SEEN_HOST: Parameter<Bytes> = bytes(
  0x8300,
  "SEEN-HOST",
  "the IP address from which whoever asks is seen, as text",
);
export const DECLINE_REASON: Parameter<Bytes> = bytes(
  0x8301,
  "DECLINE-REASON",
  "why not, as a word",
);
export const ALIVE_EVERY: Parameter<number> = integer(
  0x2300,
  "ALIVE-EVERY",
  "milliseconds between two signs of life",
);
export const BODY_LENGTH: Parameter<number> = integer(
  0x2301,
  "BODY-LENGTH",
  "bytes of the body that follows this command",
);
export const KNOWN_HASH: Parameter<Bytes> = bytes(
  0x5300,
  "KNOWN-HASH",
  "the hash of the consensus that whoever asks has",
);
export const FIRST_HEIGHT: Parameter<bigint> = long(
  0x3300,
  "FIRST-HEIGHT",
  "the height of the first header that is wanted",
);
export const HEADER_COUNT: Parameter<number> = integer(
  0x2302,
  "HEADER-COUNT",
  "how many headers are wanted",
);

export const PROVE: Verb = verb(0x7300, "PROVE", "this is who I am");
export const PROVED: Verb = verb(0x7301, "PROVED", "it is; and what I see");
export const LIST_ME: Verb = verb(
  0x7302,
  "LIST-ME",
  "look whether I can be reached, and list me",
);
export const LISTED: Verb = verb(
  0x7303,
  "LISTED",
  "you can, and will be in the next consensus",
);
export const ALIVE: Verb = verb(0x7304, "ALIVE", "I am still there");
export const NOTED: Verb = verb(0x7305, "NOTED", "good to know");
export const GOODBYE: Verb = verb(0x7306, "GOODBYE", "list me no more");
export const GET_CONSENSUS: Verb = verb(
  0x7307,
  "GET-CONSENSUS",
  "which relays are there?",
);
export const CONSENSUS_IS: Verb = verb(
  0x7308,
  "CONSENSUS-IS",
  "the body says it",
);
export const NOT_MODIFIED: Verb = verb(
  0x7309,
  "NOT-MODIFIED",
  "those that you know",
);
export const GET_HEADERS: Verb = verb(
  0x730a,
  "GET-HEADERS",
  "how does the chain go on?",
);
export const HEADERS_ARE: Verb = verb(
  0x730b,
  "HEADERS-ARE",
  "the body has the headers",
);
export const DELIBERATE: Verb = verb(
  0x730c,
  "DELIBERATE",
  "the body is for the agreement on the next consensus",
);
export const DECLINED: Verb = verb(
  0x730d,
  "DECLINED",
  "not done: see DECLINE-REASON",
);

/** All commands of the directory. */
export const DIRECTORY: CommandTable = {
  service: "directory",
  parameters: [
    PROVER,
    PROOF,
    DESCRIPTOR,
    SEEN_HOST,
    DECLINE_REASON,
    ALIVE_EVERY,
    BODY_LENGTH,
    KNOWN_HASH,
    FIRST_HEIGHT,
    HEADER_COUNT,
  ],
  verbs: [
    PROVE,
    PROVED,
    LIST_ME,
    LISTED,
    ALIVE,
    NOTED,
    GOODBYE,
    GET_CONSENSUS,
    CONSENSUS_IS,
    NOT_MODIFIED,
    GET_HEADERS,
    HEADERS_ARE,
    DELIBERATE,
    DECLINED,
  ],
};

/** What both sides of a connection to a controller understand. */
export const DIRECTORY_VOCABULARY: Vocabulary = new Vocabulary(DIRECTORY);

/** Headers in one answer at most. */
export const HEADERS_AT_ONCE = 10_000;
