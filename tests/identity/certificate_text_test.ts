import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  encodePem,
  formatCertificate,
  parseCertificateText,
} from "../../lib/identity/mod.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";
import { testKeyring, testNodeKeyring } from "../support/keyrings.ts";

Deno.test("S1.1: a certificate of either kind survives being handed over as text", async () => {
  const account = {
    kind: "account",
    certificate: (await testKeyring("alice@zone")).certificate,
  } as const;
  const node = {
    kind: "node",
    certificate: (await testNodeKeyring()).certificate,
  } as const;
  for (const each of [account, node]) {
    const text = formatCertificate(each);
    assertMatch(text, /^-----BEGIN SOTTO (ACCOUNT|NODE) CERTIFICATE-----\n/);
    assertEquals(await parseCertificateText(text), each);
    const mailed = `Hi,\n\n${text.replaceAll("\n", "\r\n")}\nBye`;
    assertEquals(await parseCertificateText(mailed), each);
  }
});

Deno.test("certificate text: several, relabelled or altered are refused", async () => {
  const { certificate } = await testKeyring("alice@zone");
  const text = formatCertificate({ kind: "account", certificate });
  const altered = certificate.bytes.slice();
  altered[20]! ^= 1;
  const wrong = [
    "",
    text + text,
    text.replaceAll("ACCOUNT", "NODE"),
    text.replaceAll("SOTTO ACCOUNT ", ""),
    encodePem({ label: "SOTTO ACCOUNT CERTIFICATE", bytes: altered }),
  ];
  for (const each of wrong) {
    await assertRejects(() => parseCertificateText(each), MalformedError);
  }
});
