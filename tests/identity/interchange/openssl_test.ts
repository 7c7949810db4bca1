import { assert, assertEquals, assertRejects } from "@std/assert";
import type { KeyUse } from "../../../lib/identity/mod.ts";
import {
  exportPrivateKey,
  exportPublicKey,
  importPrivateKeys,
  importPublicKeys,
  KEY_USES,
  privateKeyFor,
  publicKeyFor,
} from "../../../lib/identity/mod.ts";
import {
  dh,
  MalformedError,
  rsaDecrypt,
  rsaEncrypt,
  sign,
  utf8,
  verify,
} from "../../../lib/protocol/mod.ts";
import { testKeyring } from "../../support/keyrings.ts";
import { hasOpenSsl, withOpenSsl } from "../../support/openssl.ts";

const options = { ignore: !hasOpenSsl };

const GENERATE: Readonly<Record<KeyUse, readonly string[]>> = {
  signing: ["genpkey", "-algorithm", "ed25519"],
  agreement: ["genpkey", "-algorithm", "x25519"],
  encryption: [
    "genpkey",
    "-algorithm",
    "rsa",
    "-pkeyopt",
    "rsa_keygen_bits:3072",
    "-quiet",
  ],
};

const OAEP = [
  "rsa_padding_mode:oaep",
  "rsa_oaep_md:sha256",
  "rsa_mgf1_md:sha256",
  `rsa_oaep_label:${utf8("a label").toHex()}`,
].flatMap((option) => ["-pkeyopt", option]);

async function ours(use: KeyUse): Promise<{ shown: string; hidden: string }> {
  const keyring = await testKeyring("alice@zone");
  return {
    shown: await exportPublicKey(
      publicKeyFor(keyring.certificate, use),
      "pem",
    ),
    hidden: await exportPrivateKey(privateKeyFor(keyring, use), "pem"),
  };
}

Deno.test(
  "S1.1: openssl reads every key we export, and finds our public half in the private one",
  options,
  async () => {
    await withOpenSsl(async (openssl) => {
      for (const use of KEY_USES) {
        const { shown, hidden } = await ours(use);
        const path = await openssl.file(hidden);
        assertEquals(await openssl.text("pkey", "-in", path, "-pubout"), shown);
        assertEquals(await openssl.text("pkey", "-in", path), hidden);
        const publicPath = await openssl.file(shown);
        assertEquals(
          await openssl.text("pkey", "-pubin", "-in", publicPath, "-pubout"),
          shown,
        );
      }
    });
  },
);

Deno.test("S1.1: we read every key that openssl makes", options, async () => {
  await withOpenSsl(async (openssl) => {
    for (const use of KEY_USES) {
      const hidden = await openssl.text(...GENERATE[use]);
      const path = await openssl.file(hidden);
      const shown = await openssl.text("pkey", "-in", path, "-pubout");
      const [pair, ...more] = await importPrivateKeys(hidden, "pem");
      assertEquals(more, []);
      assertEquals(pair!.use, use);
      assertEquals(await exportPrivateKey(pair!, "pem"), hidden);
      const key = { use, key: pair!.pair.publicKey };
      assertEquals(await exportPublicKey(key, "pem"), shown);
      assertEquals(importPublicKeys(shown, "pem"), [key]);
    }
  });
});

Deno.test(
  "S1.1: what we sign openssl verifies, and the reverse",
  options,
  async () => {
    await withOpenSsl(async (openssl) => {
      const { signing } = await testKeyring("alice@zone");
      const { shown, hidden } = await ours("signing");
      const message = utf8("a message to sign");
      const messagePath = await openssl.file(message);
      const signature = await openssl.file(
        await sign(signing.privateKey, message),
      );
      const verified = await openssl.text(
        ...["pkeyutl", "-verify", "-rawin", "-in", messagePath],
        ...["-pubin", "-inkey", await openssl.file(shown)],
        ...["-sigfile", signature],
      );
      assert(verified.includes("Verified Successfully"));
      const theirs = await openssl.run(
        ...["pkeyutl", "-sign", "-rawin", "-in", messagePath],
        ...["-inkey", await openssl.file(hidden)],
      );
      assert(await verify(signing.publicKey, theirs, message));
    });
  },
);

Deno.test(
  "S1.1: we agree with openssl on a shared secret",
  options,
  async () => {
    await withOpenSsl(async (openssl) => {
      const keyring = await testKeyring("alice@zone");
      const { hidden } = await ours("agreement");
      const peer = await openssl.file(
        await openssl.text(...GENERATE.agreement),
      );
      const peerPublic = await openssl.text("pkey", "-in", peer, "-pubout");
      const secret = await openssl.run(
        ...["pkeyutl", "-derive", "-inkey", await openssl.file(hidden)],
        ...["-peerkey", await openssl.file(peerPublic)],
      );
      const theirs = importPublicKeys(peerPublic, "pem")[0]!;
      assertEquals(await dh(keyring.dh.privateKey, theirs.key), secret);
    });
  },
);

Deno.test(
  "S1.1: what openssl encrypts by OAEP we decrypt, and the reverse",
  options,
  async () => {
    await withOpenSsl(async (openssl) => {
      const { rsa } = await testKeyring("alice@zone");
      const { shown, hidden } = await ours("encryption");
      const secret = utf8("a secret");
      const theirs = await openssl.run(
        ...[
          "pkeyutl",
          "-encrypt",
          "-pubin",
          "-inkey",
          await openssl.file(shown),
        ],
        ...["-in", await openssl.file(secret), ...OAEP],
      );
      assertEquals(
        await rsaDecrypt(rsa.privateKey, theirs, utf8("a label")),
        secret,
      );
      const mine = await rsaEncrypt(rsa.publicKey, secret, utf8("a label"));
      const opened = await openssl.run(
        ...["pkeyutl", "-decrypt", "-inkey", await openssl.file(hidden)],
        ...["-in", await openssl.file(mine), ...OAEP],
      );
      assertEquals(opened, secret);
    });
  },
);

Deno.test(
  "S1.1: the numbers in a JWK are those that openssl shows",
  options,
  async () => {
    await withOpenSsl(async (openssl) => {
      const { certificate } = await testKeyring("alice@zone");
      const key = publicKeyFor(certificate, "encryption");
      const path = await openssl.file(await exportPublicKey(key, "pem"));
      const shown = await openssl.text(
        ...["rsa", "-pubin", "-in", path, "-noout", "-modulus"],
      );
      const { n } = JSON.parse(await exportPublicKey(key, "jwk"));
      const modulus = Uint8Array.fromBase64(n, { alphabet: "base64url" });
      assertEquals(shown.trim(), `Modulus=${modulus.toHex().toUpperCase()}`);
    });
  },
);

Deno.test(
  "PEM: keys of other kinds, encrypted or in older formats are refused",
  options,
  async () => {
    await withOpenSsl(async (openssl) => {
      const rsa = await openssl.file((await ours("encryption")).hidden);
      const signing = await openssl.file((await ours("signing")).hidden);
      const curve = ["-pkeyopt", "ec_paramgen_curve:P-256"];
      const wrong: [string, readonly string[]][] = [
        ["is not Ed25519", ["genpkey", "-algorithm", "ec", ...curve]],
        ["is not Ed25519", ["genpkey", "-algorithm", "ed448"]],
        ["is not Ed25519", ["genpkey", "-algorithm", "x448"]],
        ["RSA PRIVATE KEY", ["rsa", "-in", rsa, "-traditional"]],
        ["ENCRYPTED PRIVATE KEY", [
          ...["pkcs8", "-topk8", "-in", signing, "-passout", "pass:x"],
        ]],
        ["something else than base64", [
          ...[
            "rsa",
            "-in",
            rsa,
            "-traditional",
            "-aes128",
            "-passout",
            "pass:x",
          ],
        ]],
        ["3,072 bits", [
          ...["genpkey", "-algorithm", "rsa", "-quiet"],
          ...["-pkeyopt", "rsa_keygen_bits:2048"],
        ]],
      ];
      for (const [seen, args] of wrong) {
        const text = await openssl.text(...args);
        await assertRejects(
          () => importPrivateKeys(text, "pem"),
          MalformedError,
          seen,
          args.join(" "),
        );
      }
    });
  },
);
