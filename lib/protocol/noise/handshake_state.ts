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
import type { Encapsulated, KemKeyPair } from "../crypto/ml_kem.ts";
import { dh, generateDh, X25519_BYTES } from "../crypto/x25519.ts";
import type { DhKeyPair } from "../crypto/x25519.ts";
import { openingOf } from "./opening.ts";
import { patternOf } from "./pattern.ts";
import type { DhToken, Pattern, Role, Token } from "./pattern.ts";
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
 *
 * The tokens of a message are gone through at once, with promises of what is still being computed, so
 * that nothing waits but for what it needs. No call leaves anything under way when it ends, least of
 * all one that fails.
 */
export class HandshakeState {
  readonly #pattern: Pattern;
  readonly #role: Role;
  readonly #symmetric: SymmetricState;
  readonly #static: DhKeyPair | undefined;
  readonly #preSharedKeys: Bytes[];
  #remoteStatic: Bytes | Promise<Bytes> | undefined;
  #ephemeral: Promise<DhKeyPair> | undefined;
  #remoteEphemeral: Bytes | undefined;
  #kem: Promise<KemKeyPair> | undefined;
  #remoteKem: Promise<Bytes> | undefined;
  #ee: Promise<Bytes> | undefined;
  #encapsulated: Promise<Encapsulated> | undefined;
  #keys: Promise<readonly [Bytes, Bytes]> | undefined;
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
    if (keys.ephemeralForTestingOnly !== undefined) {
      this.#ephemeral = Promise.resolve(keys.ephemeralForTestingOnly);
    }
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
    const said = [keys.prologue ?? utf8("")];
    for (const side of ["initiator", "responder"] as const) {
      if (!pattern.preMessages[side]) continue;
      const known = side === role ? keys.static?.publicKey : keys.remoteStatic;
      said.push(need(known, `the ${side}'s static key`));
    }
    const symmetric = new SymmetricState(await openingOf(protocolName, said));
    return new HandshakeState(pattern, role, symmetric, keys);
  }

  /** Whether all messages have passed. */
  get finished(): boolean {
    return this.#turn === this.#pattern.messages.length;
  }

  /** The next message, with `payload` as well protected as the keys so far allow. */
  async write(payload: Bytes): Promise<Bytes> {
    const tokens = this.#take("write");
    const parts: Promise<Bytes>[] = [];
    try {
      for (const token of tokens) this.#writeToken(token, parts);
      parts.push(this.#symmetric.encryptAndHash(payload));
      this.#splitAtTheEnd();
      const message = concat(...await Promise.all(parts));
      if (message.length > NOISE_MESSAGE_LIMIT) {
        throw new RangeError(
          `Cannot write a handshake message: ${message.length} bytes`,
        );
      }
      return message;
    } finally {
      await this.#symmetric.settled();
    }
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
    const tokens = this.#take("read");
    const reader = new Reader(message);
    const opened: Promise<Bytes>[] = [];
    try {
      for (const token of tokens) this.#readToken(token, reader, opened);
      const payload = this.#symmetric.decryptAndHash(reader.rest());
      this.#workAhead();
      this.#splitAtTheEnd();
      await Promise.all(opened);
      return await payload;
    } finally {
      await this.#symmetric.settled();
    }
  }

  /** The traffic keys. @throws {RangeError} before the last message. */
  async split(): Promise<HandshakeResult> {
    if (this.#keys === undefined) {
      throw new RangeError("Cannot split a handshake: messages are missing");
    }
    const [first, second] = await this.#keys;
    const [sendKey, receiveKey] = this.#role === "initiator"
      ? [first, second]
      : [second, first];
    return {
      sendKey,
      receiveKey,
      hash: await this.#symmetric.hash,
      remoteStatic: await this.#remoteStatic,
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

  /** The keys need not wait for the last payload. */
  #splitAtTheEnd(): void {
    if (!this.finished) return;
    this.#keys = this.#symmetric.track(this.#symmetric.split());
  }

  /** Begins what the next message takes as soon as this one has brought what it needs. */
  #workAhead(): void {
    const next = this.#pattern.messages[this.#turn] ?? [];
    if (next.includes("ee")) {
      this.#ephemeral ??= generateDh();
      this.#ee = this.#symmetric.track(this.#agree("ee"));
    }
    if (next.includes("ekem1")) {
      const key = need(this.#remoteKem, "the encapsulation key");
      this.#encapsulated = this.#symmetric.track(key.then(encapsulate));
    }
  }

  #writeToken(token: Token, parts: Promise<Bytes>[]): void {
    const seal = (part: Bytes | Promise<Bytes>) =>
      parts.push(this.#symmetric.encryptAndHash(part));
    switch (token) {
      case "e": {
        this.#ephemeral ??= generateDh();
        const publicKey = this.#ephemeral.then((pair) => pair.publicKey);
        this.#mixEphemeral(publicKey);
        parts.push(publicKey);
        break;
      }
      case "s":
        seal(need(this.#static, "the own static key").publicKey);
        break;
      case "e1":
        this.#kem = generateKem();
        seal(this.#kem.then(({ publicKey }) => publicKey));
        break;
      case "ekem1": {
        const made = need(this.#encapsulated, "the encapsulation key");
        seal(made.then(({ ciphertext }) => ciphertext));
        this.#symmetric.mixKey(made.then(({ secret }) => secret));
        break;
      }
      default:
        this.#mixShared(token);
    }
  }

  #readToken(token: Token, reader: Reader, opened: Promise<Bytes>[]): void {
    const open = (length: number) => {
      const overhead = this.#symmetric.cipher.hasKey ? AEAD_TAG_BYTES : 0;
      const sealed = reader.take(length + overhead);
      const part = this.#symmetric.decryptAndHash(sealed);
      opened.push(part);
      return part;
    };
    switch (token) {
      case "e":
        this.#remoteEphemeral = reader.take(X25519_BYTES);
        this.#mixEphemeral(this.#remoteEphemeral);
        break;
      case "s":
        this.#remoteStatic = open(X25519_BYTES);
        break;
      case "e1":
        this.#remoteKem = open(KEM_PUBLIC_BYTES);
        break;
      case "ekem1": {
        const ciphertext = open(KEM_CIPHERTEXT_BYTES);
        const pair = need(this.#kem, "the decapsulation key");
        this.#symmetric.mixKey(
          Promise.all([pair, ciphertext]).then(([{ privateKey }, bytes]) =>
            decapsulate(privateKey, bytes)
          ),
        );
        break;
      }
      default:
        this.#mixShared(token);
    }
  }

  /** With pre-shared keys the ephemeral is also mixed into the key (Noise rev 34 §9.2). */
  #mixEphemeral(publicKey: Bytes | Promise<Bytes>): void {
    this.#symmetric.mixHash(publicKey);
    if (this.#pattern.messages.some((tokens) => tokens.includes("psk"))) {
      this.#symmetric.mixKey(publicKey);
    }
  }

  #mixShared(token: DhToken | "psk"): void {
    if (token === "psk") {
      const key = need(this.#preSharedKeys.shift(), "a pre-shared key");
      return this.#symmetric.mixKeyAndHash(key);
    }
    const begun = token === "ee" ? this.#ee : undefined;
    this.#symmetric.mixKey(begun ?? this.#agree(token));
  }

  /** The first letter of a token names the initiator's key, the second the responder's. */
  #agree(token: DhToken): Promise<Bytes> {
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
    return Promise.all([pair, publicKey]).then(([{ privateKey }, bytes]) =>
      dh(privateKey, bytes)
    );
  }
}

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) {
    throw new RangeError(`Cannot go on with a handshake: ${what} is missing`);
  }
  return value;
}
