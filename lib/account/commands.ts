import type { Bytes, CommandTable, Parameter, Verb } from "../protocol/mod.ts";
import { bytes, HELO, integer, long, OLEH, verb } from "../protocol/mod.ts";

/** What is said inside the channel about accounts and sessions (SPEC.md §5). */

export const USERNAME: Parameter<Bytes> = bytes(
  0x8010,
  "USERNAME",
  "an account's address, name@zone, in UTF-8",
);
export const REASON: Parameter<Bytes> = bytes(
  0x8011,
  "REASON",
  "why not, as a word in UTF-8",
);
export const CREDENTIALS: Parameter<Bytes> = bytes(
  0x9010,
  "CREDENTIALS",
  "what proves the passphrase, by RSA-OAEP to the server's key, label = handshake hash",
);
/** An account's certificate. */
export const CERTIFICATE: Parameter<Bytes> = bytes(
  0x9011,
  "CERTIFICATE",
  "the public half of an account, self-signed",
);
export const CERTIFICATE_ID: Parameter<Bytes> = bytes(
  0x5010,
  "CERTIFICATE-ID",
  "SHA-256 of a certificate",
);
export const WRAPPED_KEYS: Parameter<Bytes> = bytes(
  0x9012,
  "WRAPPED-KEYS",
  "the private half of an account, wrapped by its passphrase",
);
export const USR_KEY: Parameter<Bytes> = bytes(
  0x9013,
  "USR-KEY",
  "the public RSA key that the server made for this account (SPKI)",
);
export const SESSION_SHARE: Parameter<Bytes> = bytes(
  0x9014,
  "SESSION-SHARE",
  "the client's half of the session secret, by RSA-OAEP to USR-KEY",
);
export const SESSION_KEY: Parameter<Bytes> = bytes(
  0x9015,
  "SESSION-KEY",
  "the server's half of the session secret, by RSA-OAEP to the certificate",
);
export const DATA: Parameter<Bytes> = bytes(
  0x9016,
  "DATA",
  "a piece of a submission's plaintext; pieces add up",
  { repeats: true },
);
export const KDF_SALT: Parameter<Bytes> = bytes(
  0x4010,
  "KDF-SALT",
  "salt of Argon2id",
);
export const KDF_MEMORY: Parameter<number> = integer(
  0x2010,
  "KDF-MEMORY",
  "memory of Argon2id in KiB",
);
export const KDF_PASSES: Parameter<number> = integer(
  0x0010,
  "KDF-PASSES",
  "passes of Argon2id",
);
export const MAX_PACKET: Parameter<number> = integer(
  0x2011,
  "MAX-PACKET",
  "most bytes to be sealed and sent at a time, 512 to 65536; the lower of both sides' wins",
);
export const DATA_LENGTH: Parameter<number> = integer(
  0x2012,
  "DATA-LENGTH",
  "length in bytes of a submission's plaintext, or of a piece",
);
export const RETRY_IN: Parameter<number> = integer(
  0x2013,
  "RETRY-IN",
  "seconds to wait before trying again",
);
export const VERIFICATION_SHA256: Parameter<Bytes> = bytes(
  0x5011,
  "VERIFICATION-SHA256",
  "SHA-256 of a submission's plaintext, or of a piece",
);
export const COUNTER: Parameter<bigint> = long(
  0x3010,
  "COUNTER",
  "number of a submission; rises within a connection",
);
export const SIGNATURE: Parameter<Bytes> = bytes(
  0x6010,
  "SIGNATURE",
  "Ed25519 by the account's certificate",
);

export const ZONE: Parameter<Bytes> = bytes(
  0x8012,
  "ZONE",
  "the zone of names that name none, in UTF-8",
);
export const REGISTRATION: Parameter<Bytes> = bytes(
  0x8013,
  "REGISTRATION",
  "who may register: open or invite, in UTF-8",
);

export const ABOUT: Verb = verb(
  0x700e,
  "ABOUT",
  "what kind of server is this?",
);
export const ABOUT_IS: Verb = verb(0x700f, "ABOUT-IS", "this kind");
export const REGISTER: Verb = verb(0x7010, "REGISTER", "make an account");
export const REGISTERED: Verb = verb(
  0x7011,
  "REGISTERED",
  "the account is made",
);
export const PREPARE: Verb = verb(
  0x7012,
  "PREPARE",
  "with which salt and cost is this passphrase stretched?",
);
export const PREPARED: Verb = verb(0x7013, "PREPARED", "with these");
export const LOGIN: Verb = verb(0x7014, "LOGIN", "open a session");
export const LOGGED_IN: Verb = verb(
  0x7015,
  "LOGGED-IN",
  "the server's part of it",
);
export const SESSION: Verb = verb(
  0x7016,
  "SESSION",
  "the client's part, where LOGIN could not carry it yet",
);
export const SUBMIT: Verb = verb(0x7017, "SUBMIT", "take this plaintext");
export const OK: Verb = verb(
  0x7018,
  "OK",
  "it arrived whole; the answers, if any",
);
export const KO: Verb = verb(
  0x7019,
  "KO",
  "it did not; try again, or not: see REASON",
);
export const PUSH: Verb = verb(
  0x701a,
  "PUSH",
  "the server has something for you",
);

/** Inside a submission: what an account asks of the server about itself. */

export const WHO_AM_I: Verb = verb(
  0x7020,
  "WHO-AM-I",
  "which account is this?",
);
/** The answer to WHO-AM-I. */
export const YOU_ARE: Verb = verb(0x7021, "YOU-ARE", "this one");
export const CHANGE_PASSPHRASE: Verb = verb(
  0x7022,
  "CHANGE-PASSPHRASE",
  "replace what is derived from the passphrase; the keys stay",
);
export const DELETE_ACCOUNT: Verb = verb(
  0x7023,
  "DELETE-ACCOUNT",
  "forget this account and all that waits for it",
);
/** The answer where there is nothing more to say. */
export const DONE: Verb = verb(0x7024, "DONE", "done");
export const DENIED: Verb = verb(0x7025, "DENIED", "not done: see REASON");
export const OLD_CREDENTIALS: Parameter<Bytes> = bytes(
  0x9017,
  "OLD-CREDENTIALS",
  "as CREDENTIALS, of the passphrase so far",
);
/** When an account was made. */
export const CREATED_AT: Parameter<bigint> = long(
  0x3011,
  "CREATED-AT",
  "when the account was made, in milliseconds since 1970",
);

/** All commands about accounts and sessions. */
export const ACCOUNT: CommandTable = {
  service: "account",
  parameters: [
    USERNAME,
    REASON,
    CREDENTIALS,
    CERTIFICATE,
    CERTIFICATE_ID,
    WRAPPED_KEYS,
    USR_KEY,
    SESSION_SHARE,
    SESSION_KEY,
    DATA,
    KDF_SALT,
    KDF_MEMORY,
    KDF_PASSES,
    MAX_PACKET,
    DATA_LENGTH,
    RETRY_IN,
    VERIFICATION_SHA256,
    COUNTER,
    SIGNATURE,
    OLD_CREDENTIALS,
    CREATED_AT,
    ZONE,
    REGISTRATION,
  ],
  verbs: [
    HELO,
    OLEH,
    ABOUT,
    ABOUT_IS,
    REGISTER,
    REGISTERED,
    PREPARE,
    PREPARED,
    LOGIN,
    LOGGED_IN,
    SESSION,
    SUBMIT,
    OK,
    KO,
    PUSH,
    WHO_AM_I,
    YOU_ARE,
    CHANGE_PASSPHRASE,
    DELETE_ACCOUNT,
    DONE,
    DENIED,
  ],
};
