import type { Certificate } from "../../identity/mod.ts";
import type { PeerMessage } from "../../peer/mod.ts";
import { signPeerMessage, verifyPeerMessage } from "../../peer/mod.ts";
import type { Bytes, SigningKeyPair } from "../../protocol/mod.ts";
import { concat, u64 } from "../../protocol/mod.ts";
import type { Generation } from "./generation_secret.ts";
import { Direction, openInRound, sealInRound } from "./round_seal.ts";

/** Between whom messages go, as one side sees it. */
export interface RoundMessagesOptions {
  /** 16 bytes. */
  readonly callId: Bytes;
  /** Whether one called oneself or was called. */
  readonly direction: Direction;
  /** One's own key that signs. */
  readonly signing: SigningKeyPair;
  /** The other person. */
  readonly peer: Certificate;
}

/** The one message that each side leaves in a round: signed for this call, round and side, and sealed. */
export class RoundMessages {
  readonly #options: RoundMessagesOptions;

  /** For all rounds of one call. */
  constructor(options: RoundMessagesOptions) {
    this.#options = options;
  }

  /**
   * One's own message in the round that starts then, 496 bytes.
   *
   * @param base as for `sealInRound`.
   */
  async write(
    start: number,
    base: Bytes,
    { secret }: Generation,
    message: PeerMessage,
  ): Promise<Bytes> {
    const { signing, direction } = this.#options;
    const context = this.#context(start, direction);
    const signed = await signPeerMessage(signing.privateKey, context, message);
    return await sealInRound(base, secret, direction, signed);
  }

  /**
   * The other side's message in that round, and the generation that it is sealed under; nothing if it is
   * sealed under none of `candidates`.
   *
   * @throws {PeerMessageError | MalformedError} if it opens and is not a message of theirs for this round.
   */
  async read(
    start: number,
    base: Bytes,
    candidates: readonly Generation[],
    sealed: Bytes,
  ): Promise<
    { readonly generation: number; readonly message: PeerMessage } | undefined
  > {
    const { peer, direction } = this.#options;
    const theirs = direction === Direction.CALLER
      ? Direction.CALLEE
      : Direction.CALLER;
    for (const { number, secret } of candidates) {
      const bytes = await openInRound(base, secret, theirs, sealed);
      if (bytes === undefined) continue;
      const context = this.#context(start, theirs);
      const message = await verifyPeerMessage(peer.signingKey, context, bytes);
      return { generation: number, message };
    }
    return undefined;
  }

  /** What signatures stand for besides the message: the call, the round, and who of the two speaks. */
  #context(start: number, direction: Direction): Bytes {
    return concat(
      this.#options.callId,
      u64(BigInt(start)),
      Uint8Array.of(direction),
    );
  }
}
