import type { Bytes } from "../bytes/bytes.ts";
import { concat, utf8 } from "../bytes/bytes.ts";
import { MalformedError } from "../bytes/malformed_error.ts";
import { Reader } from "../bytes/reader.ts";
import { AEAD_TAG_BYTES } from "../crypto/aead.ts";
import {
  decapsulate,
  encapsulate,
  generateKem,
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
} from "../crypto/ml_kem.ts";
import type { KemKeyPair } from "../crypto/ml_kem.ts";
import { dh, generateDh, X25519_BYTES } from "../crypto/x25519.ts";
import type { DhKeyPair } from "../crypto/x25519.ts";
import { patternOf } from "./pattern.ts";
import type { Pattern, Role, Token } from "./pattern.ts";
import { SymmetricState } from "./symmetric_state.ts";

/** Longest Noise message in bytes (rev 34 §3). */
export const NOISE_MESSAGE_LIMIT = 65_535;

/** What one side brings to a handshake. Which keys are needed is the pattern's business. */
export interface HandshakeKeys {
  /** What both sides must agree on beforehand. */
  readonly prologue?: Bytes;
  /** Own static pair. */
  readonly static?: DhKeyPair;
  /** The other's static public key (32 bytes), where it is known beforehand. */
  readonly remoteStatic?: Bytes;
  /** Pre-shared keys (32 bytes each), in the order of their tokens. */
  readonly preSharedKeys?: readonly Bytes[];
  /** Makes a handshake repeatable; never for use. */
  readonly ephemeralForTestingOnly?: DhKeyPair;
}

/** What a finished handshake leaves: two traffic keys (32 bytes each) and the channel binding. */
export interface HandshakeResult {
  /** For what this side sends. */
  readonly sendKey: Bytes;
  /** For what this side receives. */
  readonly receiveKey: Bytes;
  /** The handshake hash (32 bytes): the same on both sides, different in every connection. */
  readonly hash: Bytes;
  /** The other's static public key, if the pattern conveys one. */
  readonly remoteStatic: Bytes | undefined;
}

/**
 * A handshake under way (Noise rev 34 §5.3): one interpreter for every pattern and both roles,
 * without I/O. Messages are written and read in turn; a state that has thrown must be thrown away.
 */
export class HandshakeState {
  readonly #pattern: Pattern;
  readonly #role: Role;
  readonly #symmetric: SymmetricState;
  readonly #static: DhKeyPair | undefined;
  readonly #preSharedKeys: Bytes[];
  #remoteStatic: Bytes | undefined;
  #ephemeral: DhKeyPair | undefined;
  #remoteEphemeral: Bytes | undefined;
  #kem: KemKeyPair | undefined;
  #remoteKem: Bytes | undefined;
  #turn = 0;

  private constructor(
    pattern: Pattern,
    role: Role,
    symmetric: SymmetricState,
    keys: HandshakeKeys,
  ) {
    this.#pattern = pattern;
    this.#role = role;
    this.#symmetric = symmetric;
    this.#static = keys.static;
    this.#remoteStatic = keys.remoteStatic;
    this.#preSharedKeys = [...keys.preSharedKeys ?? []];
    this.#ephemeral = keys.ephemeralForTestingOnly;
  }

  /**
   * Begins a handshake of a full name such as `Noise_NK_25519_AESGCM_SHA256`.
   *
   * @throws {RangeError} if the pattern is unknown or a key it demands beforehand is missing.
   */
  static async initialize(
    protocolName: string,
    role: Role,
    keys: HandshakeKeys,
  ): Promise<HandshakeState> {
    const pattern = patternOf(protocolName.split("_")[1] ?? "");
    const symmetric = await SymmetricState.initialize(protocolName);
    await symmetric.mixHash(keys.prologue ?? utf8(""));
    for (const side of ["initiator", "responder"] as const) {
      if (!pattern.preMessages[side]) continue;
      const known = side === role ? keys.static?.publicKey : keys.remoteStatic;
      await symmetric.mixHash(need(known, `the ${side}'s static key`));
    }
    return new HandshakeState(pattern, role, symmetric, keys);
  }

  /** Whether all messages have passed. */
  get finished(): boolean {
    return this.#turn === this.#pattern.messages.length;
  }

  /** The next message, with `payload` as well protected as the keys so far allow. */
  async write(payload: Bytes): Promise<Bytes> {
    const parts: Bytes[] = [];
    for (const token of this.#take("write")) {
      const part = await this.#writeToken(token);
      if (part !== undefined) parts.push(part);
    }
    parts.push(await this.#symmetric.encryptAndHash(payload));
    const message = concat(...parts);
    if (message.length > NOISE_MESSAGE_LIMIT) {
      throw new RangeError(
        `Cannot write a handshake message: ${message.length} bytes`,
      );
    }
    return message;
  }

  /**
   * Reads the other side's message; its payload.
   *
   * @throws {MalformedError} if it is too short or too long.
   * @throws {CryptoError} if it was altered, or made with other keys.
   */
  async read(message: Bytes): Promise<Bytes> {
    if (message.length > NOISE_MESSAGE_LIMIT) {
      throw new MalformedError(
        `Cannot read a handshake message: ${message.length} bytes`,
      );
    }
    const reader = new Reader(message);
    for (const token of this.#take("read")) {
      await this.#readToken(token, reader);
    }
    return await this.#symmetric.decryptAndHash(reader.rest());
  }

  /** The traffic keys. @throws {RangeError} before the last message. */
  async split(): Promise<HandshakeResult> {
    if (!this.finished) {
      throw new RangeError("Cannot split a handshake: messages are missing");
    }
    const [first, second] = await this.#symmetric.split();
    const [sendKey, receiveKey] = this.#role === "initiator"
      ? [first, second]
      : [second, first];
    return {
      sendKey,
      receiveKey,
      hash: this.#symmetric.hash,
      remoteStatic: this.#remoteStatic,
    };
  }

  #take(action: "write" | "read"): readonly Token[] {
    const tokens = this.#pattern.messages[this.#turn];
    const mine = (this.#turn % 2 === 0) === (this.#role === "initiator");
    if (tokens === undefined || mine !== (action === "write")) {
      throw new RangeError(
        `Cannot ${action} a handshake message: not the turn`,
      );
    }
    this.#turn++;
    return tokens;
  }

  async #writeToken(token: Token): Promise<Bytes | undefined> {
    switch (token) {
      case "e": {
        this.#ephemeral ??= await generateDh();
        await this.#mixEphemeral(this.#ephemeral.publicKey);
        return this.#ephemeral.publicKey;
      }
      case "s":
        return await this.#symmetric.encryptAndHash(
          need(this.#static, "the own static key").publicKey,
        );
      case "e1":
        this.#kem = await generateKem();
        return await this.#symmetric.encryptAndHash(this.#kem.publicKey);
      case "ekem1": {
        const { secret, ciphertext } = await encapsulate(
          need(this.#remoteKem, "the encapsulation key"),
        );
        const sealed = await this.#symmetric.encryptAndHash(ciphertext);
        await this.#symmetric.mixKey(secret);
        return sealed;
      }
      default:
        await this.#mixShared(token);
        return undefined;
    }
  }

  async #readToken(token: Token, reader: Reader): Promise<void> {
    switch (token) {
      case "e":
        this.#remoteEphemeral = reader.take(X25519_BYTES);
        await this.#mixEphemeral(this.#remoteEphemeral);
        break;
      case "s":
        this.#remoteStatic = await this.#takeSealed(reader, X25519_BYTES);
        break;
      case "e1":
        this.#remoteKem = await this.#takeSealed(reader, KEM_PUBLIC_BYTES);
        break;
      case "ekem1": {
        const ciphertext = await this.#takeSealed(reader, KEM_CIPHERTEXT_BYTES);
        const { privateKey } = need(this.#kem, "the decapsulation key");
        await this.#symmetric.mixKey(await decapsulate(privateKey, ciphertext));
        break;
      }
      default:
        await this.#mixShared(token);
    }
  }

  /** With pre-shared keys the ephemeral is also mixed into the key (Noise rev 34 §9.2). */
  async #mixEphemeral(publicKey: Bytes): Promise<void> {
    await this.#symmetric.mixHash(publicKey);
    if (this.#pattern.messages.some((tokens) => tokens.includes("psk"))) {
      await this.#symmetric.mixKey(publicKey);
    }
  }

  async #takeSealed(reader: Reader, length: number): Promise<Bytes> {
    const overhead = this.#symmetric.cipher.hasKey ? AEAD_TAG_BYTES : 0;
    return await this.#symmetric.decryptAndHash(reader.take(length + overhead));
  }

  /** The first letter of a token names the initiator's key, the second the responder's. */
  async #mixShared(token: "ee" | "es" | "se" | "ss" | "psk"): Promise<void> {
    if (token === "psk") {
      const key = need(this.#preSharedKeys.shift(), "a pre-shared key");
      return await this.#symmetric.mixKeyAndHash(key);
    }
    const [own, other] = this.#role === "initiator"
      ? [token[0], token[1]]
      : [token[1], token[0]];
    const pair = need(
      own === "e" ? this.#ephemeral : this.#static,
      "an own key",
    );
    const publicKey = need(
      other === "e" ? this.#remoteEphemeral : this.#remoteStatic,
      "a key of the other side",
    );
    await this.#symmetric.mixKey(await dh(pair.privateKey, publicKey));
  }
}

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) {
    throw new RangeError(`Cannot go on with a handshake: ${what} is missing`);
  }
  return value;
}
