import type { Bytes, DhKeyPair, HandshakeResult } from "../../protocol/mod.ts";
import { HANDSHAKE_NAME, HandshakeState } from "../../protocol/mod.ts";
import { LayerKey } from "./layer_key.ts";
import type { HopKeys } from "./layer_key.ts";

/**
 * The handshake of every connection (SPEC.md §3.3) as circuits use it: one message to a key that is
 * known, with a payload that only its owner reads, and one message back.
 */

const EMPTY = new Uint8Array(0);

/** Longest message of the handshake in bytes. */
export const AGREEMENT_LIMIT = 4_096;

/** The side that begins. */
export class KeyOffer {
  readonly #state: HandshakeState;
  /** The first message. */
  readonly message: Bytes;

  private constructor(state: HandshakeState, message: Bytes) {
    this.#state = state;
    this.message = message;
  }

  /**
   * Begins a handshake with the owner of an X25519 key.
   *
   * @param prologue a label, and what else both sides must mean by it.
   * @param remoteStatic the key, 32 bytes.
   * @param payload is read by its owner only, but not forward secret.
   */
  static async begin(
    prologue: Bytes,
    remoteStatic: Bytes,
    payload: Bytes,
  ): Promise<KeyOffer> {
    const state = await HandshakeState.initialize(HANDSHAKE_NAME, "initiator", {
      prologue,
      remoteStatic,
    });
    return new KeyOffer(state, await state.write(payload));
  }

  /**
   * Ends it with the second message.
   *
   * @throws {MalformedError | CryptoError} if it is not from the owner of the key, or somebody on the
   * way has meddled.
   */
  async finish(answer: Bytes): Promise<HopKeys> {
    await this.#state.read(answer);
    const { sendKey, receiveKey, hash } = await this.#state.split();
    return await hopKeysOf(sendKey, receiveKey, hash);
  }
}

/** The side that answers, once it has read the first message. */
export class KeyAcceptance {
  readonly #state: HandshakeState;
  /** What the first message carried. */
  readonly payload: Bytes;

  private constructor(state: HandshakeState, payload: Bytes) {
    this.#state = state;
    this.payload = payload;
  }

  /**
   * Reads the first message.
   *
   * @throws {MalformedError | CryptoError} if it was altered, or made for another key or with another prologue.
   */
  static async read(
    prologue: Bytes,
    pair: DhKeyPair,
    message: Bytes,
  ): Promise<KeyAcceptance> {
    const state = await HandshakeState.initialize(HANDSHAKE_NAME, "responder", {
      prologue,
      static: pair,
    });
    return new KeyAcceptance(state, await state.read(message));
  }

  /** The second message, and the keys that both sides have from then on. */
  async finish(): Promise<{ readonly answer: Bytes; readonly keys: HopKeys }> {
    const answer = await this.#state.write(EMPTY);
    const { sendKey, receiveKey, hash }: HandshakeResult = await this.#state
      .split();
    return { answer, keys: await hopKeysOf(receiveKey, sendKey, hash) };
  }
}

async function hopKeysOf(
  forward: Bytes,
  backward: Bytes,
  binding: Bytes,
): Promise<HopKeys> {
  const [to, from] = await Promise.all([
    LayerKey.of(forward),
    LayerKey.of(backward),
  ]);
  return { forward: to, backward: from, binding };
}
