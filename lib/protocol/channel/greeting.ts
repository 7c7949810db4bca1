import { bytes, integer, verb } from "../risp/command.ts";
import type { CommandTable } from "../risp/vocabulary.ts";

/** What is said in the clear before a channel stands (SPEC.md §3). */

export const HELO = verb(0x7000, "HELO", "are you there?");
export const OLEH = verb(0x7001, "OLEH", "I am here");
export const PUBLIC_KEY = verb(0x7002, "PUBLIC-KEY", "which keys do you hold?");
export const PUBLIC_KEY_IS = verb(0x7003, "PUBLIC-KEY-IS", "these keys");
export const HELLO = verb(0x7004, "HELLO", "first handshake message");
export const HELLO_ACK = verb(0x7005, "HELLO-ACK", "second handshake message");
export const REFUSED = verb(0x7006, "REFUSED", "the connection is not wanted");

export const NODE_CERTIFICATE = bytes(
  0x9000,
  "NODE-CERTIFICATE",
  "the node's public keys, signed by itself",
);
export const HANDSHAKE = bytes(0x9001, "HANDSHAKE", "a Noise message");
export const REFUSAL = bytes(0x8000, "REFUSAL", "why, as a word");
export const RETRY_AFTER = integer(
  0x2000,
  "RETRY-AFTER",
  "seconds to wait before trying again",
);

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
