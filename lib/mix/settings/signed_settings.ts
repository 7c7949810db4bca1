import type { NodeCertificate, NodeKeyring } from "../../identity/mod.ts";
import type { Bytes } from "../../protocol/mod.ts";
import { concat, sign, utf8, verify } from "../../protocol/mod.ts";
import { MixError } from "../mix_error.ts";
import { parseSettingsDocument } from "./run_settings.ts";
import type { RunSettings } from "./run_settings.ts";

const LABEL = utf8("sotto mix settings v1\0");

/** The certificate of a mix that may stand in a chain, or `undefined` for one that may not. */
export type IdentityOf = (
  fingerprint: Bytes,
) => NodeCertificate | undefined | Promise<NodeCertificate | undefined>;

/**
 * A mix's Ed25519 signature over the body of settings, 64 bytes. Whether it should sign is for the
 * caller to say.
 */
export function signSettings(
  body: Bytes,
  keyring: NodeKeyring,
): Promise<Bytes> {
  return sign(keyring.signing.privateKey, concat(LABEL, body));
}

/**
 * The document that clients are given: the body, and behind it the signature of every mix in order.
 *
 * @throws {MalformedError} if the body is none, or there are more or fewer signatures than mixes.
 */
export function joinSettings(
  body: Bytes,
  signatures: readonly Bytes[],
): Bytes {
  const document = concat(body, ...signatures);
  parseSettingsDocument(document);
  return document;
}

/**
 * Reads a document and verifies that every mix of its chain has signed it.
 *
 * @throws {MalformedError} if it does not parse.
 * @throws {MixError} `ERR_MIX_SETTINGS` if a mix is not acceptable, stands there twice, or has not signed.
 */
export async function verifySettings(
  document: Bytes,
  identityOf: IdentityOf,
): Promise<RunSettings> {
  const { settings, signatures } = parseSettingsDocument(document);
  const names = settings.mixes.map(({ fingerprint }) => fingerprint.toHex());
  if (new Set(names).size < names.length) {
    throw unusable("a mix stands in the chain twice");
  }
  const signed = concat(LABEL, settings.body);
  await Promise.all(settings.mixes.map(async ({ fingerprint }, place) => {
    const identity = await identityOf(fingerprint);
    if (identity?.fingerprint.toHex() !== names[place]) {
      throw unusable(`mix ${place} is not known as one`);
    }
    if (!await verify(identity!.signingKey, signatures[place]!, signed)) {
      throw unusable(`mix ${place} has not signed`);
    }
  }));
  return settings;
}

function unusable(why: string): MixError {
  return new MixError("ERR_MIX_SETTINGS", `Cannot use settings: ${why}`);
}
