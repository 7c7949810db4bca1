import { createPrivateKey, createPublicKey } from "node:crypto";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { Jwk, KeyUse } from "../../../lib/identity/mod.ts";
import {
  encodePrivateJwk,
  encodePublicJwk,
  exportPrivateKey,
  exportPublicKey,
  importPrivateKeys,
  importPublicKeys,
  jwkThumbprint,
  KEY_USES,
  parseJwkText,
  parsePrivateJwk,
  parsePublicJwk,
  privateKeyFor,
  publicKeyFor,
} from "../../../lib/identity/mod.ts";
import { MalformedError } from "../../../lib/protocol/mod.ts";
import { freshKeyring, testKeyring } from "../../support/keyrings.ts";

async function jwks(use: KeyUse): Promise<{ shown: Jwk; hidden: Jwk }> {
  const keyring = await testKeyring("alice@zone");
  return {
    shown: await encodePublicJwk(publicKeyFor(keyring.certificate, use)),
    hidden: await encodePrivateJwk(privateKeyFor(keyring, use)),
  };
}

function base64url(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

Deno.test("JWK: the thumbprint of RFC 7638 §3.1", async () => {
  const jwk = {
    kty: "RSA",
    n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAt" +
      "VT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn6" +
      "4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FD" +
      "W2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n9" +
      "1CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINH" +
      "aQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    e: "AQAB",
    alg: "RS256",
    kid: "2011-04-29",
  };
  assertEquals(
    base64url(await jwkThumbprint(jwk)),
    "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
  );
  // Too short for us, whatever else it is good for.
  assertThrows(() => parsePublicJwk(jwk), MalformedError);
});

Deno.test("JWK: the Ed25519 key and thumbprint of RFC 8037 appendix A", async () => {
  const jwk = {
    kty: "OKP",
    crv: "Ed25519",
    d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  };
  const key = await parsePrivateJwk(jwk);
  assertEquals(key.use, "signing");
  assertEquals(base64url(key.pair.publicKey), jwk.x);
  const kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
  assertEquals(base64url(await jwkThumbprint(jwk)), kid);
  assertEquals(await encodePrivateJwk(key), { ...jwk, use: "sig", kid });
});

Deno.test("S1.1: every key survives JWK, public and private", async () => {
  const keyring = await testKeyring("alice@zone");
  for (const use of KEY_USES) {
    const shown = publicKeyFor(keyring.certificate, use);
    const text = await exportPublicKey(shown, "jwk");
    assertEquals(importPublicKeys(text, "jwk"), [shown]);
    const hidden = privateKeyFor(keyring, use);
    const [key] = await importPrivateKeys(
      await exportPrivateKey(hidden, "jwk"),
      "jwk",
    );
    assertEquals(
      await exportPrivateKey(key!, "pem"),
      await exportPrivateKey(hidden, "pem"),
    );
  }
});

Deno.test("S1.1: node:crypto reads our JWK, and we read what it writes", async () => {
  const keyring = await testKeyring("alice@zone");
  for (const use of KEY_USES) {
    const { shown, hidden } = await jwks(use);
    const theirPublic = createPublicKey({ key: shown, format: "jwk" });
    assertEquals(
      theirPublic.export({ format: "pem", type: "spki" }),
      await exportPublicKey(publicKeyFor(keyring.certificate, use), "pem"),
    );
    const theirPrivate = createPrivateKey({ key: hidden, format: "jwk" });
    const pem = theirPrivate.export({ format: "pem", type: "pkcs8" });
    assertEquals(
      pem,
      await exportPrivateKey(privateKeyFor(keyring, use), "pem"),
    );
    const written = theirPrivate.export({ format: "jwk" }) as Jwk;
    const { kid: _k, use: _u, alg: _a, ...members } = hidden;
    assertEquals(members, { ...written });
    assertEquals((await parsePrivateJwk(written)).use, use);
  }
});

Deno.test("JWK: the public form holds nothing private", async () => {
  for (const use of KEY_USES) {
    const { shown, hidden } = await jwks(use);
    const secret = ["d", "p", "q", "dp", "dq", "qi"].filter((m) => m in hidden);
    assertEquals(secret.length, use === "encryption" ? 6 : 1);
    for (const member of secret) assert(!(member in shown));
    assertThrows(() => parsePublicJwk(hidden), MalformedError, "private key");
    await assertRejects(() => parsePrivateJwk(shown), MalformedError);
  }
});

Deno.test("JWK: every member that matters must be there, of its form and fit the others", async () => {
  const other = await freshKeyring("bob@zone");
  for (const use of KEY_USES) {
    const { hidden } = await jwks(use);
    const { kid, alg, use: _, ...needed } = hidden;
    assertEquals((await parsePrivateJwk(needed)).use, use);
    await parsePrivateJwk({ ...hidden, kid, alg, unknown: { a: 1 } });
    for (const member of Object.keys(needed)) {
      const { [member]: value, ...rest } = hidden;
      await refused(rest);
      const wrong = [1, null, "", "!", `${value}=`, `${value}A`, [value]];
      for (const each of wrong) await refused({ ...hidden, [member]: each });
    }
    await refused({ ...hidden, use: use === "signing" ? "enc" : "sig" });
    if (use === "encryption") await refused({ ...hidden, oth: [] });
    else {
      const theirs = await encodePrivateJwk(privateKeyFor(other, use));
      await refused({ ...hidden, x: theirs["x"] });
      await refused({ ...hidden, d: theirs["d"] });
      await refused({ ...hidden, crv: "P-256" });
    }
  }
});

Deno.test("JWK: a set gives its keys; other texts are refused without being quoted", async () => {
  const { shown } = await jwks("signing");
  const { shown: second } = await jwks("encryption");
  assertEquals(parseJwkText(JSON.stringify({ keys: [shown, second] })), [
    shown,
    second,
  ]);
  const wrong = ["", "{", "[]", "1", "null", '{"keys":1}', '{"keys":[1]}'];
  for (const text of wrong) {
    assertThrows(() => parseJwkText(text), MalformedError);
  }
  const error = assertThrows(
    () => parseJwkText('{"d":"secret'),
    MalformedError,
  );
  assert(!`${error.message}${error.cause}`.includes("secret"));
});

async function refused(jwk: Jwk): Promise<void> {
  await assertRejects(() => parsePrivateJwk(jwk), MalformedError);
}
