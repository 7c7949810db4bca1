/** Why something of a round could not be done. */
export type MixErrorCode =
  /** A mix cannot be reached, or broke off. */
  | "ERR_MIX_GONE"
  /** A mix did not keep to the rules, or said no. */
  | "ERR_MIX_REFUSED"
  /** Nobody knows that round: it is over, or its keys were lost. */
  | "ERR_MIX_ROUND"
  /** It did not come in time. */
  | "ERR_MIX_LATE"
  /** Settings that must not be used: unsigned, stale, or not what is known of the chain. */
  | "ERR_MIX_SETTINGS";

/** Something of a round, or of a chain, could not be done. */
export class MixError extends Error {
  /** Name of the class. */
  override readonly name = "MixError";
  /** Stable, for programs. */
  readonly code: MixErrorCode;

  /** An error with its code; `options` hold the cause, if there is one. */
  constructor(code: MixErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
