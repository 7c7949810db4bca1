import { RoundKind, RunMode } from "./round.ts";

/** Length of a dead drop's id in bytes. */
export const DROP_ID_BYTES = 16;
/** Length in bytes of what is left at a drop: a message of 480 under its seal. It is what comes back, too. */
export const SEALED_BYTES = 496;
/** Length in bytes of what reaches the last mix in an exchange round: drop id ‖ sealed. */
export const EXCHANGE_BYTES: number = DROP_ID_BYTES + SEALED_BYTES;
/** Length of a dialing token in bytes. */
export const TOKEN_BYTES = 32;
/** Length in bytes of what reaches the last mix in a dialing round: bucket u32 ‖ token. */
export const DIAL_BYTES: number = 4 + TOKEN_BYTES;
/** What a layer keyed for the round adds: ephemeral X25519 key 32 ‖ tag 16. */
const ROUND_LAYER_BYTES = 48;
/** What a layer of a circuit adds: circuit id 16 ‖ tag 16. */
const CIRCUIT_LAYER_BYTES = 32;
/** What every mix adds to a reply: a tag. */
const REPLY_LAYER_BYTES = 16;

/** Lengths in a round at one place of the chain. */
export interface RoundSizes {
  /** Of an onion that is given to the mix there. */
  readonly onion: number;
  /** Of what the mix finds under its layer. */
  readonly inner: number;
  /** Of a reply that the mix gives; 0 in a dialing round, which has none. */
  readonly reply: number;
  /** Of a reply that the mix is given, or, if it is the last, of what it seals; 0 in a dialing round. */
  readonly innerReply: number;
}

/**
 * The lengths in a round.
 *
 * @param index which of the run's rounds it is: in a run of circuits, 0 sets them up and carries nothing else.
 * @param behind how many mixes follow the one at that place; 0 for the last.
 */
export function sizesOf(
  kind: RoundKind,
  mode: RunMode,
  index: number,
  behind: number,
): RoundSizes {
  const setsUp = mode === RunMode.CIRCUITS && index === 0;
  const isTwoWay = kind === RoundKind.EXCHANGE;
  const payload = setsUp ? 0 : isTwoWay ? EXCHANGE_BYTES : DIAL_BYTES;
  const answer = setsUp || !isTwoWay ? 0 : SEALED_BYTES;
  const layer = mode === RunMode.ROUNDS || setsUp
    ? ROUND_LAYER_BYTES
    : CIRCUIT_LAYER_BYTES;
  return {
    onion: payload + layer * (behind + 1),
    inner: payload + layer * behind,
    reply: isTwoWay ? answer + REPLY_LAYER_BYTES * (behind + 1) : 0,
    innerReply: isTwoWay ? answer + REPLY_LAYER_BYTES * behind : 0,
  };
}
