/**
 * Why a consensus is not taken:
 * - `ERR_CONSENSUS_MALFORMED`: it does not parse, or a descriptor in it is not its relay's;
 * - `ERR_CONSENSUS_UNSIGNED`: fewer controllers of this network than the quorum have signed it;
 * - `ERR_CONSENSUS_EARLY`: it is not valid yet, by the clock here;
 * - `ERR_CONSENSUS_EXPIRED`: it is not valid any more, by the clock here;
 * - `ERR_CONSENSUS_FORKED`: it does not descend from the one that was known.
 */
export type ConsensusErrorCode =
  | "ERR_CONSENSUS_MALFORMED"
  | "ERR_CONSENSUS_UNSIGNED"
  | "ERR_CONSENSUS_EARLY"
  | "ERR_CONSENSUS_EXPIRED"
  | "ERR_CONSENSUS_FORKED";

/** A consensus that must not be used; `code` says why. */
export class ConsensusError extends Error {
  /** The name of this class. */
  override readonly name = "ConsensusError";
  /** Stable, for programs. */
  readonly code: ConsensusErrorCode;

  /** `seen` follows "Cannot use the consensus: ". */
  constructor(code: ConsensusErrorCode, seen: string, options?: ErrorOptions) {
    super(`Cannot use the consensus: ${seen}`, options);
    this.code = code;
  }
}
