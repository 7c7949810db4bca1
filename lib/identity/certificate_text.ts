import { MalformedError } from "../protocol/mod.ts";
import type { Certificate } from "./certificate.ts";
import { parseCertificate } from "./certificate.ts";
import { encodePem, parsePem } from "./interchange/pem.ts";
import type { NodeCertificate } from "./node_certificate.ts";
import { parseNodeCertificate } from "./node_certificate.ts";

/** A certificate of either kind, as people hand it over in a file. */
export type AnyCertificate =
  | { readonly kind: "account"; readonly certificate: Certificate }
  | { readonly kind: "node"; readonly certificate: NodeCertificate };

const ACCOUNT = "SOTTO ACCOUNT CERTIFICATE";
const NODE = "SOTTO NODE CERTIFICATE";

/** A certificate as text that survives mail and copying: its bytes in base64 between two lines. */
export function formatCertificate(
  { kind, certificate }: AnyCertificate,
): string {
  const label = kind === "account" ? ACCOUNT : NODE;
  return encodePem({ label, bytes: certificate.bytes });
}

/**
 * Inverse of `formatCertificate`; text around the certificate is passed over.
 *
 * @throws {MalformedError} if there is not exactly one certificate, or its signature does not match.
 */
export async function parseCertificateText(
  text: string,
): Promise<AnyCertificate> {
  const [block, ...more] = parsePem(text);
  if (block === undefined || more.length > 0) {
    throw new MalformedError("Cannot read a certificate: there are several");
  }
  if (block.label === ACCOUNT) {
    const certificate = await parseCertificate(block.bytes);
    return { kind: "account", certificate };
  }
  if (block.label === NODE) {
    const certificate = await parseNodeCertificate(block.bytes);
    return { kind: "node", certificate };
  }
  throw new MalformedError("Cannot read a certificate: it is something else");
}
