import { formatDuration } from "./format_duration.ts";

/** What the person can do about an error, by the stable code that the library gives it. */
const BY_CODE: Readonly<Record<string, string>> = {
  ERR_CHANNEL_CUT: "the connection broke; try again",
  ERR_CHANNEL_FORGED:
    "somebody on the way changed what was sent, or the server holds another key; try another network",
  ERR_CHANNEL_VIOLATION:
    "is it a sotto server, and of this version? compare sotto --version on both sides",
  ERR_CONSENSUS_EARLY:
    "is the clock of this machine right? it is behind that of the controllers",
  ERR_CONSENSUS_EXPIRED:
    "is the clock of this machine right? otherwise the controllers are away for too long; ask whoever runs them",
  ERR_CONSENSUS_FORKED:
    "somebody shows different people different networks, or the network was made anew; ask whoever runs the controllers, and only then sotto client network set ADDRESS...",
  ERR_CONSENSUS_UNSIGNED:
    "compare the controllers with what their owners say: sotto client network",
  ERR_DIRECTORY_KEY:
    "whoever answers there is not that controller; compare its address",
  ERR_DIRECTORY_UNREACHABLE:
    "are the controllers running, and these their addresses? sotto client network",
  ERR_DISK_FULL: "make room; the same command goes on where it was",
  ERR_EXCESSIVE_COST:
    "the file or server asks for more memory or time than is sane; do not trust it",
  ERR_HANDSHAKE_FAILED:
    "whoever answers there does not hold the key it should; check the address",
  ERR_MALFORMED: "it is damaged, or not what it was taken for",
  ERR_PART_BUSY: "wait until the other sotto is done, or stop it",
  ERR_PART_LOST:
    "remove what is left of it (.sotto-*) and give the same command again",
  ERR_PREKEY_IDENTITY:
    "the server handed out keys of someone else; compare safety numbers by another way",
  ERR_PREKEY_SIGNATURE:
    "the server handed out keys that their owner did not sign; do not trust it",
  ERR_PROTECTION_MISMATCH:
    "the key file is opened by the other kind of secret: a passphrase or a secret file",
  ERR_REFUSED: "the server is busy or does not want this; try again later",
  ERR_SERVER_KEY_CHANGED:
    "ask whoever runs the server for its fingerprint, by another way than this connection",
  ERR_SESSION_END: "start a new session with that person",
  ERR_SESSION_KEY:
    "the keys here and those at the server no longer fit; was the account made anew?",
  ERR_SOURCE_CHANGED: "--restart sends them anew, as they are now",
  ERR_STORE_NEWER:
    "a newer sotto wrote it; update this one, compare sotto --version",
  ERR_UNREACHABLE:
    "is the server running there? sotto client ping ADDRESS tells",
  ERR_UNSAFE_FILE: "chmod 600 it, if you are sure that nobody changed it",
  ERR_WEAK_COST:
    "the file or server asks for less than is safe; do not trust it",
  ERR_WRONG_PASSPHRASE:
    "type it again; a passphrase that is lost cannot be recovered",
  ERR_WRONG_VAULT_KEY: "these files belong to another profile or account",
};

/** The same for what a server refuses (code ERR_ACCOUNT), by the reason it names. */
const BY_REASON: Readonly<Record<string, string>> = {
  "credentials":
    "check the name and the passphrase; the server does not tell which is wrong",
  "throttled": "wait a moment, then try again",
  "name-taken": "choose another name",
  "name-invalid":
    "a name has lower-case letters, digits, dots, - and _, and may end in @ZONE",
  "zone-unknown": "ask whoever runs the server for the zones it serves",
  "invite-needed": "ask whoever runs the server for an invite",
  "invite-invalid": "ask whoever runs the server for a new invite",
  "checksum": "try again",
  "too-large": "send it in smaller parts",
  "unknown-command": "the server is older than this program",
  "unknown-person": "check the name",
  "mailbox-full": "it can be sent again when they have fetched their letters",
  "unknown-blob": "it was fetched, has expired, or the code is wrong",
  "blob-exists": "--restart sends it anew",
  "blob-taken": "ask for it to be sent again",
  "spool-full": "try again later, or ask whoever runs the server for more room",
  "moved": "sotto client login --take-over uses it on this device again",
  "internal": "try again; whoever runs the server finds more in its log",
};

/** The same for streams through the onion (code ERR_STREAM), by the reason they name. */
const BY_STREAM: Readonly<Record<string, string>> = {
  "exit-policy":
    "no exit connects there; sotto controller show tells which exits there are",
  "no-circuit":
    "are there three relays that can be reached? sotto controller show tells",
  "resolve-failed":
    "check the address; names are looked up at the exit, services at relays",
  "refused": "nothing answers at that address and port",
  "timeout": "try again",
  "unreachable": "is it running? another attempt takes another way",
  "circuit-gone": "try again; another circuit is built",
};

/** The same for the errors of the platform, which have no code of ours, by the name of their class. */
const BY_NAME: Readonly<Record<string, string>> = {
  AddrInUse:
    "something listens there already; choose another port with --listen",
  AddrNotAvailable: "this machine does not have that address",
  AlreadyExists: "choose another name, or move what is there away",
  ConnectionRefused:
    "nothing answers at that address; is the server running there?",
  ConnectionReset: "the other side hung up; try again",
  NotFound: "check the path",
  PermissionDenied: "check who owns it, and its permissions",
  TimedOut: "no answer in time; check the address and the network",
};

/** A hint for `error` itself, not for its causes; undefined when there is nothing useful to say. */
export function hintFor(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const facts: Facts = error;
  if (typeof facts.hint === "string") return facts.hint;
  const seconds = facts.retryIn ?? facts.retryAfter;
  if (typeof seconds === "number" && seconds > 0) {
    return `try again in ${formatDuration(seconds * 1000)}`;
  }
  return entry(BY_REASON, facts.code === "ERR_ACCOUNT" && facts.reason) ??
    entry(BY_STREAM, facts.code === "ERR_STREAM" && facts.reason) ??
    entry(BY_CODE, facts.code) ?? entry(BY_NAME, error.name);
}

/** The library's codes and reasons that have a hint, so that a test can compare them with the library. */
export function hintedCodes(): { codes: string[]; reasons: string[] } {
  return { codes: Object.keys(BY_CODE), reasons: Object.keys(BY_REASON) };
}

/** What the library's errors may carry beside their message. */
interface Facts extends Error {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly hint?: unknown;
  /** Seconds. */
  readonly retryIn?: unknown;
  /** Seconds. */
  readonly retryAfter?: unknown;
}

function entry(
  table: Readonly<Record<string, string>>,
  key: unknown,
): string | undefined {
  return typeof key === "string" && Object.hasOwn(table, key)
    ? table[key]
    : undefined;
}
