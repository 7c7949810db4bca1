import type { NodeCertificate } from "../identity/mod.ts";
import type { Bytes } from "../protocol/mod.ts";
import type { NoiseLevel } from "./noise/noise_level.ts";
import type { RoundId, Run } from "./round.ts";

/** What a mix offers for a run: its part of the settings. */
export interface MixOffer {
  /** X25519 onion keys, 32 bytes each: one for every round, or a single one for a run of circuits. */
  readonly onionKeys: readonly Bytes[];
  /** The noise that it adds if it is not the last of the chain. */
  readonly noise: NoiseLevel;
}

/**
 * A mix of a chain, as the coordinator sees it, in this process or behind a connection. For every round,
 * in this order: `add` any number of times, `close` once, then `answer` once unless the round is one-way
 * or the mix is the last. A call for a round that the mix does not know, or that comes out of order,
 * rejects with `MixError`, and so does every call of a mix that cannot be reached.
 */
export interface MixPeer {
  /** Who it is. */
  readonly identity: NodeCertificate;
  /** Makes keys for a run and keeps them until the rounds are over. */
  prepare(run: Run): Promise<MixOffer>;
  /**
   * The mix's Ed25519 signature (64 bytes) over the settings of a run that it has prepared, after it has
   * checked that they name its own keys and noise. From then on older settings for the same or later
   * rounds of that kind are void.
   */
  sign(settings: Bytes): Promise<Bytes>;
  /** Takes onions of a round, whole ones one behind the other; what it does with them goes on in the background. */
  add(round: RoundId, onions: Bytes): Promise<void>;
  /**
   * No more onions come. Resolves with what is next: for a mix that is not the last, the batch for the
   * next mix, noise included and shuffled; for the last one, the replies to what was added, in that order
   * (in a dialing round: the encoded filters of all buckets).
   */
  close(round: RoundId): Promise<Bytes>;
  /** Takes the replies of the next mix, and gives those to what was added, in that order. */
  answer(round: RoundId, replies: Bytes): Promise<Bytes>;
  /** The round will not be finished: everything of it is erased. Never rejects. */
  abort(round: RoundId): void;
}
