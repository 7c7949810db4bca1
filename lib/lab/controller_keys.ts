import {
  createPrivateFile,
  encodeNodeKeyring,
  formatSecret,
  generateNodeKeyring,
  generateSecret,
  sealKeyFile,
} from "../identity/mod.ts";
import type { Bytes } from "../protocol/mod.ts";

/**
 * Makes the keys of a controller where it looks for them: every other member must be told its
 * fingerprint, and that before it runs.
 *
 * @param now seconds since 1970.
 * @returns the fingerprint, 32 bytes.
 */
export async function makeControllerKeys(
  directory: string,
  now: number,
): Promise<Bytes> {
  const keyring = await generateNodeKeyring(now);
  const secret = generateSecret();
  const plaintext = await encodeNodeKeyring(keyring);
  const sealed = await sealKeyFile("node", plaintext, { secret });
  plaintext.fill(0);
  const path = `${directory}/controller`;
  await createPrivateFile(`${path}.secret`, formatSecret(secret));
  await createPrivateFile(`${path}.key`, sealed);
  return keyring.certificate.fingerprint;
}
