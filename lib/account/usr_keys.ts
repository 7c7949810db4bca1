import type { Bytes, RsaKeyPair } from "../protocol/mod.ts";
import {
  AEAD_NONCE_BYTES,
  concat,
  exportRsa,
  generateRsa,
  hkdfSha256,
  importAead,
  importRsa,
  open,
  randomBytes,
  seal,
  utf8,
} from "../protocol/mod.ts";

const INFO = utf8("sotto USR keys at rest");
const EMPTY = new Uint8Array(0);

/** A USR key as the store keeps it: SPKI, and nonce (12) ‖ sealed PKCS#8. */
export interface StoredUsrKey {
  readonly publicKey: Bytes;
  readonly wrapped: Bytes;
}

/**
 * The key pairs that a server makes for its accounts, USR[username] (S0.5). The private halves leave
 * the memory only sealed by the server's own secret and bound to the account's certificate.
 */
export class UsrKeys {
  readonly #sealing: Promise<CryptoKey>;
  readonly #generate: () => Promise<RsaKeyPair>;
  /** The next pair is made ahead: it takes half a second, and somebody waits for it. */
  #next: Promise<RsaKeyPair> | undefined;

  /**
   * @param storageSecret the server's, 32 bytes.
   * @param generateForTesting stands in for making RSA pairs.
   */
  constructor(
    storageSecret: Bytes,
    generateForTesting: () => Promise<RsaKeyPair> = () => generateRsa(true),
  ) {
    this.#sealing = hkdfSha256(storageSecret, EMPTY, INFO, 32).then(importAead);
    this.#generate = generateForTesting;
  }

  /** Makes a pair for the account of a certificate (id: 32 bytes). */
  async make(certificateId: Bytes): Promise<StoredUsrKey> {
    // Taken before anything is awaited: two that ask at once must not get the same pair.
    const taken = this.#next ?? this.#generate();
    this.#next = undefined;
    const pair = await taken;
    this.#next ??= this.#generate();
    return await this.seal(pair, certificateId);
  }

  /** Seals the private half of `pair`, which must be extractable, for one account. */
  async seal(pair: RsaKeyPair, certificateId: Bytes): Promise<StoredUsrKey> {
    const nonce = randomBytes(AEAD_NONCE_BYTES);
    const pkcs8 = await exportRsa(pair);
    const sealed = await seal(await this.#sealing, nonce, pkcs8, certificateId);
    return { publicKey: pair.publicKey, wrapped: concat(nonce, sealed) };
  }

  /** @throws {CryptoError} if it was sealed for another account or by another server. */
  async unwrap(
    { publicKey, wrapped }: StoredUsrKey,
    certificateId: Bytes,
  ): Promise<RsaKeyPair> {
    const nonce = wrapped.slice(0, AEAD_NONCE_BYTES);
    const sealed = wrapped.slice(AEAD_NONCE_BYTES);
    const key = await this.#sealing;
    const pkcs8 = await open(key, nonce, sealed, certificateId);
    return await importRsa(pkcs8, publicKey);
  }

  /** Waits for the pair that is being made. */
  async close(): Promise<void> {
    await this.#next;
  }
}
