import type { Bytes } from "../../protocol/mod.ts";
import { MalformedError } from "../../protocol/mod.ts";
import { encodePkcs8, encodeSpki, parsePkcs8, parseSpki } from "./der.ts";
import type {
  ExchangedPrivateKey,
  ExchangedPublicKey,
} from "./exchanged_key.ts";
import {
  encodePrivateJwk,
  encodePublicJwk,
  parseJwkText,
  parsePrivateJwk,
  parsePublicJwk,
} from "./jwk.ts";
import { encodePem, parsePem } from "./pem.ts";

/** The text formats that other programs read and write. */
export type KeyFormat = "pem" | "jwk";

const PUBLIC = "PUBLIC KEY";
const PRIVATE = "PRIVATE KEY";

/** A public key as text: SubjectPublicKeyInfo in PEM, or JWK. */
export async function exportPublicKey(
  key: ExchangedPublicKey,
  format: KeyFormat,
): Promise<string> {
  return format === "pem"
    ? encodePem({ label: PUBLIC, bytes: encodeSpki(key) })
    : jsonText(await encodePublicJwk(key));
}

/** A private key as text, in the clear: PKCS#8 in PEM, or JWK. */
export async function exportPrivateKey(
  key: ExchangedPrivateKey,
  format: KeyFormat,
): Promise<string> {
  return format === "pem"
    ? encodePem({ label: PRIVATE, bytes: await encodePkcs8(key) })
    : jsonText(await encodePrivateJwk(key));
}

/**
 * Every public key in `text`, in order.
 *
 * @throws {MalformedError} if one does not parse or something else is among them.
 */
export function importPublicKeys(
  text: string,
  format: KeyFormat,
): ExchangedPublicKey[] {
  return format === "pem"
    ? blocks(text, PUBLIC).map(parseSpki)
    : parseJwkText(text).map(parsePublicJwk);
}

/**
 * Every private key in `text`, in order, each with its public half.
 *
 * @throws {MalformedError} if one does not parse or something else is among them.
 */
export async function importPrivateKeys(
  text: string,
  format: KeyFormat,
): Promise<ExchangedPrivateKey[]> {
  return await Promise.all(
    format === "pem"
      ? blocks(text, PRIVATE).map(parsePkcs8)
      : parseJwkText(text).map(parsePrivateJwk),
  );
}

function blocks(text: string, wanted: string): Bytes[] {
  return parsePem(text).map(({ label, bytes }) => {
    if (label !== wanted) {
      throw new MalformedError(
        `Cannot read a key: its label is ${label}, not ${wanted}`,
      );
    }
    return bytes;
  });
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2) + "\n";
}
