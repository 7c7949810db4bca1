import type { AnyCertificate } from "../../lib/identity/mod.ts";
import { formatFingerprint } from "../../lib/identity/mod.ts";
import type { Io } from "../io.ts";

/** What is told of a certificate or of the key file that holds it. */
export interface Summary {
  readonly shown: AnyCertificate;
  /** Whether the private keys are there too. */
  readonly hasPrivateKeys: boolean;
}

/** Prints it: a line for each thing, or one JSON object. */
export async function printSummary(
  io: Io,
  summary: Summary,
  asJson: boolean,
): Promise<void> {
  const { kind, certificate } = summary.shown;
  const made = new Date(certificate.createdAt * 1000).toISOString()
    .replace(".000Z", "Z");
  const digest = kind === "account" ? certificate.id : certificate.fingerprint;
  if (asJson) {
    const fields = {
      kind,
      ...(kind === "account" ? { address: certificate.address } : {}),
      made,
      [kind === "account" ? "certificateId" : "fingerprint"]: formatFingerprint(
        digest,
        "",
      ),
      hasPrivateKeys: summary.hasPrivateKeys,
    };
    await io.stdout.write(JSON.stringify(fields) + "\n");
    return;
  }
  const rows: [string, string][] = [["kind", kind]];
  if (kind === "account") rows.push(["address", certificate.address]);
  rows.push(
    ["made", made],
    ["private keys", summary.hasPrivateKeys ? "yes" : "no"],
    [
      kind === "account" ? "certificate id" : "fingerprint",
      formatFingerprint(digest),
    ],
  );
  const width = Math.max(...rows.map(([name]) => name.length));
  await io.stdout.write(
    rows.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join(""),
  );
}
