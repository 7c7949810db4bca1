/** Why the server refused something, as it says it on the wire (REASON). */
export type Refusal =
  /** Name and passphrase do not fit together; nothing tells which is wrong. */
  | "credentials"
  | "throttled"
  | "name-taken"
  | "name-invalid"
  | "zone-unknown"
  | "invite-needed"
  | "invite-invalid"
  | "certificate-invalid"
  | "checksum"
  | "signature"
  | "too-large"
  | "malformed"
  | "unknown-command"
  | "unknown-person"
  | "mailbox-full"
  | "moved"
  | "unknown-blob"
  | "blob-exists"
  | "blob-taken"
  | "spool-full"
  | "internal";

const WORDS: Readonly<Record<Refusal, string>> = {
  "credentials": "name or passphrase is wrong",
  "throttled": "too many attempts",
  "name-taken": "the name is taken",
  "name-invalid": "the name is not allowed",
  "zone-unknown": "the server does not serve this zone",
  "invite-needed": "the server asks for an invite",
  "invite-invalid": "the invite is unknown, used up or expired",
  "certificate-invalid": "the certificate does not hold",
  "checksum": "the data did not arrive whole",
  "signature": "the signature does not hold",
  "too-large": "more than the server takes",
  "malformed": "the server could not read the request",
  "unknown-command": "the server does not know the request",
  "unknown-person": "there is no such person",
  "mailbox-full": "the mailbox is full",
  "moved": "the account is used on another device now",
  "unknown-blob": "there is no such file here, or not any more",
  "blob-exists": "there is another file under this name",
  "blob-taken": "somebody has fetched it already",
  "spool-full": "the server has no more room for files",
  "internal": "the server failed",
};

/** The server refused. `reason` says why; `retryIn` how many seconds to wait, if waiting helps. */
export class AccountError extends Error {
  /** The name of this class. */
  override readonly name = "AccountError";
  /** Stable, for programs. */
  readonly code = "ERR_ACCOUNT";
  /** Why, as the server says it. */
  readonly reason: Refusal;
  /** Seconds to wait before trying again; 0 if waiting does not help. */
  readonly retryIn: number;

  /** `action` says what could not be done, in words that follow "Cannot". */
  constructor(action: string, reason: Refusal, retryIn = 0) {
    super(`Cannot ${action}: ${WORDS[reason]}`);
    this.reason = reason;
    this.retryIn = retryIn;
  }
}

/** The reason that a word from the wire stands for; a word that nobody knows is "internal". */
export function refusalOf(word: string): Refusal {
  return Object.hasOwn(WORDS, word) ? word as Refusal : "internal";
}

/** The session keys do not agree: one side does not hold the private key it should (S2.7). */
export class SessionKeyError extends Error {
  /** The name of this class. */
  override readonly name = "SessionKeyError";
  /** Stable, for programs. */
  readonly code = "ERR_SESSION_KEY";

  /** `options` hold the cause. */
  constructor(options?: ErrorOptions) {
    super(
      "Cannot open a session: the server does not know these keys, or has lost its own for this account",
      options,
    );
  }
}
