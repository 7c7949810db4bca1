/**
 * A cryptographic operation that failed: a tag or signature that does not match, a key or ciphertext
 * that does not parse. What WebCrypto said is kept as `cause`; the message never holds key material.
 */
export class CryptoError extends Error {
  /** The name of this class. */
  override readonly name = "CryptoError";
  /** Stable, for programs. */
  readonly code = "ERR_CRYPTO";
}

/** The platform's WebCrypto. Only this room touches it. */
export const subtle: SubtleCrypto = crypto.subtle;

/** Awaits a WebCrypto call and turns whatever it throws into a `CryptoError` that names the action. */
export async function attempt<T>(
  action: string,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new CryptoError(`Cannot ${action}`, { cause });
  }
}
