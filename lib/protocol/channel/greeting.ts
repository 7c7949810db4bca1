import type { Bytes } from "../bytes/bytes.ts";
import { bytes, integer, verb } from "../risp/command.ts";
import type { Parameter, Verb } from "../risp/command.ts";
import type { CommandTable } from "../risp/vocabulary.ts";

/** What is said in the clear before a channel stands (SPEC.md §3). */

export const HELO: Verb = verb(0x7000, "HELO", "are you there?");
/** The answer to HELO. */
export const OLEH: Verb = verb(0x7001, "OLEH", "I am here");
export const PUBLIC_KEY: Verb = verb(
  0x7002,
  "PUBLIC-KEY",
  "which keys do you hold?",
);
export const PUBLIC_KEY_IS: Verb = verb(0x7003, "PUBLIC-KEY-IS", "these keys");
export const HELLO: Verb = verb(0x7004, "HELLO", "first handshake message");
export const HELLO_ACK: Verb = verb(
  0x7005,
  "HELLO-ACK",
  "second handshake message",
);
export const REFUSED: Verb = verb(
  0x7006,
  "REFUSED",
  "the connection is not wanted",
);

export const NODE_CERTIFICATE: Parameter<Bytes> = bytes(
  0x9000,
  "NODE-CERTIFICATE",
  "the node's public keys, signed by itself",
);
export const HANDSHAKE: Parameter<Bytes> = bytes(
  0x9001,
  "HANDSHAKE",
  "a Noise message",
);
export const REFUSAL: Parameter<Bytes> = bytes(
  0x8000,
  "REFUSAL",
  "why, as a word",
);
/** Seconds to wait. */
export const RETRY_AFTER: Parameter<number> = integer(
  0x2000,
  "RETRY-AFTER",
  "seconds to wait before trying again",
);

/** All commands in the clear. */
export const GREETING: CommandTable = {
  service: "greeting",
  parameters: [NODE_CERTIFICATE, HANDSHAKE, REFUSAL, RETRY_AFTER],
  verbs: [
    HELO,
    OLEH,
    PUBLIC_KEY,
    PUBLIC_KEY_IS,
    HELLO,
    HELLO_ACK,
    REFUSED,
  ],
};
