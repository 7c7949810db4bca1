import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { exportJwk, importRsaJwk } from "../../../lib/protocol/crypto/jwk.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import {
  exportRsa,
  generateRsa,
  importRsa,
  RSA_CIPHERTEXT_BYTES,
  RSA_PLAINTEXT_LIMIT,
  RSA_SPKI_BYTES,
  rsaDecrypt,
  rsaEncrypt,
} from "../../../lib/protocol/crypto/rsa_oaep.ts";
import { hasOpenSsl, withOpenSsl } from "../../support/openssl.ts";
import { testRsaPair } from "../../support/rsa_pair.ts";

const LABEL = utf8("label");
const NOTHING = new Uint8Array(0);

/** A public key of another size, as SPKI, and its private half. */
async function pairOf(modulusLength: number): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(
    {
      name: "RSA-OAEP",
      hash: "SHA-256",
      modulusLength,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
    true,
    ["encrypt", "decrypt"],
  );
}

async function spkiOf({ publicKey }: CryptoKeyPair): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
}

Deno.test("RSA-OAEP: comes back at every length up to 318 bytes, never the same twice", async () => {
  const { publicKey, privateKey } = await testRsaPair();
  assertEquals(publicKey.length, RSA_SPKI_BYTES);
  for (const length of [0, 1, 31, 32, 33, RSA_PLAINTEXT_LIMIT]) {
    const plaintext = new Uint8Array(length).map((_, i) => i);
    const sealed = await rsaEncrypt(publicKey, plaintext, LABEL);
    assertEquals(sealed.length, RSA_CIPHERTEXT_BYTES);
    assertEquals(await rsaDecrypt(privateKey, sealed, LABEL), plaintext);
    assertNotEquals(await rsaEncrypt(publicKey, plaintext, LABEL), sealed);
  }
  const long = new Uint8Array(RSA_PLAINTEXT_LIMIT + 1);
  await assertRejects(() => rsaEncrypt(publicKey, long, LABEL), CryptoError);
});

Deno.test("RSA-OAEP: another label, key or ciphertext is refused, each with the same words", async () => {
  const { publicKey, privateKey } = await testRsaPair();
  const sealed = await rsaEncrypt(publicKey, utf8("secret"), LABEL);
  const other = await generateRsa();
  const flipped = (bit: number): Bytes => {
    const altered = sealed.slice();
    altered[bit >> 3]! ^= 1 << (bit & 7);
    return altered;
  };
  const refused: readonly (readonly [CryptoKey, Bytes, Bytes])[] = [
    [privateKey, sealed, NOTHING],
    [privateKey, sealed, utf8("labeL")],
    [privateKey, sealed, utf8("label ")],
    [other.privateKey, sealed, LABEL],
    [privateKey, sealed.slice(1), LABEL],
    [privateKey, NOTHING, LABEL],
    [privateKey, new Uint8Array(RSA_CIPHERTEXT_BYTES), LABEL],
    [privateKey, new Uint8Array(RSA_CIPHERTEXT_BYTES).fill(0xff), LABEL],
    ...[0, 7, 8, 1_500, 3_064, 3_071].map((bit) =>
      [privateKey, flipped(bit), LABEL] as const
    ),
  ];
  for (const [key, ciphertext, label] of refused) {
    const error = await assertRejects(
      () => rsaDecrypt(key, ciphertext, label),
      CryptoError,
    );
    assertEquals(error.message, "Cannot decrypt by RSA-OAEP");
  }
});

Deno.test("RSA-OAEP: a modulus that is not 3,072 bits is refused before anything is encrypted to it", async () => {
  for (const bits of [1_024, 2_048, 4_096]) {
    const spki = await spkiOf(await pairOf(bits));
    const error = await assertRejects(
      () => rsaEncrypt(spki, utf8("secret"), LABEL),
      CryptoError,
    );
    assertEquals((error.cause as Error).message, `modulus of ${bits} bits`);
  }
});

Deno.test("RSA-OAEP: what is no key is refused, at every cut of one", async () => {
  const { publicKey } = await testRsaPair();
  for (let length = 0; length < publicKey.length; length += 3) {
    await assertRejects(
      () => rsaEncrypt(publicKey.slice(0, length), utf8("x"), LABEL),
      CryptoError,
    );
  }
  await assertRejects(() => importRsa(publicKey, publicKey), CryptoError);
});

Deno.test("RSA-OAEP: a pair survives PKCS#8 and JWK, and leaves only if it may", async () => {
  const pair = await testRsaPair();
  const sealed = await rsaEncrypt(pair.publicKey, utf8("secret"), LABEL);
  const again = await importRsa(await exportRsa(pair), pair.publicKey);
  assertEquals(
    await rsaDecrypt(again.privateKey, sealed, LABEL),
    utf8("secret"),
  );
  await assertRejects(() => exportRsa(again), CryptoError);
  await assertRejects(() => exportJwk(again.privateKey), CryptoError);
  const jwk = await exportJwk(pair.privateKey);
  assertEquals(jwk.kty, "RSA");
  const third = await importRsaJwk(jwk);
  assertEquals(await rsaDecrypt(third, sealed, LABEL), utf8("secret"));
  await assertRejects(() => importRsaJwk({ kty: "RSA" }), CryptoError);
  const notExtractable = await generateRsa();
  await assertRejects(() => exportRsa(notExtractable), CryptoError);
});

Deno.test({
  name:
    "RSA-OAEP: openssl opens what is sealed here, and the other way round, under a label",
  ignore: !hasOpenSsl,
  fn: () =>
    withOpenSsl(async (openssl) => {
      const pair = await testRsaPair();
      const padding = ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256"].concat(
        "rsa_mgf1_md:sha256",
        `rsa_oaep_label:${LABEL.toHex()}`,
      ).flatMap((option) => ["-pkeyopt", option]);
      const key = await openssl.file(await exportRsa(pair));
      const sealed = await rsaEncrypt(pair.publicKey, utf8("secret"), LABEL);
      const opened = await openssl.run(
        ...["pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", key],
        ...["-in", await openssl.file(sealed), ...padding],
      );
      assertEquals(opened, utf8("secret"));
      const theirs = await openssl.run(
        ...["pkeyutl", "-encrypt", "-pubin", "-keyform", "DER"],
        ...["-inkey", await openssl.file(pair.publicKey)],
        ...["-in", await openssl.file(utf8("from outside")), ...padding],
      );
      assertEquals(
        await rsaDecrypt(pair.privateKey, theirs, LABEL),
        utf8("from outside"),
      );
    }),
});
