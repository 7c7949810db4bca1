import type { Bytes, DhKeyPair } from "../../protocol/mod.ts";
import {
  AEAD_NONCE_BYTES,
  concat,
  exportDh,
  generateDh,
  hkdfSha256,
  importAead,
  importDh,
  MalformedError,
  open,
  randomBytes,
  Reader,
  seal,
  utf8,
  Writer,
  X25519_BYTES,
} from "../../protocol/mod.ts";

/** How long clients may make hops with a key before a new one takes its place, in seconds (a week). */
export const ONION_KEY_LIFETIME = 7 * 86_400;

const VERSION = 1;
const KEYS_LIMIT = 4;
const INFO = utf8("sotto onion keys");
const EMPTY = new Uint8Array(0);

/** A pair and since when it is used, in seconds since 1970. */
interface DatedPair extends DhKeyPair {
  readonly since: number;
}

/**
 * The onion keys of a relay. A new one is made when the newest is old; the one before stays good as long
 * again, for clients whose consensus does not know the new one. When both are gone nobody can open what
 * was said in the handshakes made with them, though no cell depends on that: hops are forward secret.
 */
export class OnionKeys {
  readonly #lifetime: number;
  #pairs: DatedPair[];

  private constructor(pairs: DatedPair[], lifetime: number) {
    this.#pairs = pairs;
    this.#lifetime = lifetime;
  }

  /** No keys yet: `rotate` makes the first. @param lifetime in seconds. */
  static none(lifetime: number = ONION_KEY_LIFETIME): OnionKeys {
    return new OnionKeys([], lifetime);
  }

  /**
   * Opens what `sealed` made.
   *
   * @param secret of the relay's keyring (its storage secret), 32 bytes.
   * @throws {MalformedError | CryptoError} if it is anything else.
   */
  static async open(
    bytes: Bytes,
    secret: Bytes,
    lifetime: number = ONION_KEY_LIFETIME,
  ): Promise<OnionKeys> {
    const reader = new Reader(bytes);
    const nonce = reader.take(AEAD_NONCE_BYTES);
    const key = await keyOf(secret);
    const inner = new Reader(await open(key, nonce, reader.rest()));
    const version = inner.u8();
    const count = inner.u8();
    if (version !== VERSION || count > KEYS_LIMIT) {
      throw new MalformedError("Cannot read onion keys: an unknown version");
    }
    const pairs: DatedPair[] = [];
    for (let i = 0; i < count; i++) {
      const since = Number(inner.u64());
      const pair = await importDh(inner.take(X25519_BYTES), true);
      pairs.push({ ...pair, since });
    }
    inner.end();
    return new OnionKeys(pairs, lifetime);
  }

  /** The pairs that are good now, the newest first. */
  get pairs(): readonly DhKeyPair[] {
    return this.#pairs;
  }

  /** The public half of the newest, 32 bytes. @throws {RangeError} before the first `rotate`. */
  get publicKey(): Bytes {
    const newest = this.#pairs[0];
    if (newest === undefined) {
      throw new RangeError("Cannot use an onion key: there is none");
    }
    return newest.publicKey;
  }

  /**
   * Makes a new key if it is time, and forgets what is too old.
   *
   * @param now seconds since 1970.
   * @returns whether anything has changed and is to be stored.
   */
  async rotate(now: number): Promise<boolean> {
    const newest = this.#pairs[0];
    if (newest !== undefined && now < newest.since + this.#lifetime) {
      return false;
    }
    const pair = { ...await generateDh(true), since: now };
    this.#pairs = [
      pair,
      ...this.#pairs.filter(({ since }) => now < since + 2 * this.#lifetime),
    ].slice(0, KEYS_LIMIT);
    return true;
  }

  /** The keys as they are stored: nonce (12) ‖ sealed version, count, and time and key of each. */
  async sealed(secret: Bytes): Promise<Bytes> {
    const writer = new Writer(256).u8(VERSION).u8(this.#pairs.length);
    for (const pair of this.#pairs) {
      writer.u64(BigInt(pair.since)).bytes(await exportDh(pair));
    }
    const nonce = randomBytes(AEAD_NONCE_BYTES);
    const key = await keyOf(secret);
    return concat(nonce, await seal(key, nonce, writer.done()));
  }
}

async function keyOf(secret: Bytes): Promise<CryptoKey> {
  return await importAead(await hkdfSha256(secret, EMPTY, INFO, 32));
}
