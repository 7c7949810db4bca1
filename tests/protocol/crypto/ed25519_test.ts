import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import {
  ED25519_BYTES,
  exportSigning,
  generateSigning,
  importSigning,
  importVerifying,
  sign,
  SIGNATURE_BYTES,
  verify,
} from "../../../lib/protocol/crypto/ed25519.ts";

const hex = (text: string): Bytes => Uint8Array.fromHex(text);

// RFC 8032 §7.1: seed, public key, message, signature.
const CASES = [
  {
    name: "TEST 1",
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    key: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    name: "TEST 2",
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    key: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
  {
    name: "TEST 3",
    seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    key: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature:
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  },
];

for (const { name, seed, key, message, signature } of CASES) {
  Deno.test(`Ed25519: RFC 8032 §7.1 ${name}`, async () => {
    const pair = await importSigning(hex(seed), hex(key));
    const made = await sign(pair.privateKey, hex(message));
    assertEquals(made.toHex(), signature);
    assert(await verify(hex(key), made, hex(message)));
  });
}

Deno.test("Ed25519: every flipped bit of signature or message, and every other length, does not verify", async () => {
  const { key, message, signature } = CASES[2]!;
  const verifying = await importVerifying(hex(key));
  const [m, s] = [hex(message), hex(signature)];
  assert(await verify(verifying, s, m));
  for (let bit = 0; bit < s.length * 8; bit++) {
    const altered = s.slice();
    altered[bit >> 3]! ^= 1 << (bit & 7);
    assert(!await verify(verifying, altered, m), `signature bit ${bit}`);
  }
  for (let bit = 0; bit < m.length * 8; bit++) {
    const altered = m.slice();
    altered[bit >> 3]! ^= 1 << (bit & 7);
    assert(!await verify(verifying, s, altered), `message bit ${bit}`);
  }
  for (let length = 0; length <= SIGNATURE_BYTES + 1; length++) {
    if (length === SIGNATURE_BYTES) continue;
    const cut = new Uint8Array(length);
    cut.set(s.subarray(0, length));
    assert(!await verify(verifying, cut, m), `${length} bytes`);
  }
});

Deno.test("Ed25519: a signature whose S is not reduced does not verify (RFC 8032 §5.1.7)", async () => {
  const { key, message, signature } = CASES[1]!;
  // S + L is another form of the same scalar; taking it would make signatures malleable.
  const order = (1n << 252n) + 27742317777372353535851937790883648493n;
  const altered = hex(signature);
  let s = order;
  for (let i = 0; i < 32; i++) s += BigInt(altered[32 + i]!) << BigInt(8 * i);
  for (let i = 0; i < 32; i++) {
    altered[32 + i] = Number((s >> BigInt(8 * i)) & 0xffn);
  }
  assert(!await verify(hex(key), altered, hex(message)));
});

Deno.test("Ed25519: another key does not verify; keys of other lengths are refused", async () => {
  const [a, b] = [await generateSigning(), await generateSigning()];
  const message = hex("c0ffee");
  const signature = await sign(a.privateKey, message);
  assert(await verify(a.publicKey, signature, message));
  assert(!await verify(b.publicKey, signature, message));
  for (const length of [0, 31, 33]) {
    await assertRejects(
      () => verify(new Uint8Array(length), signature, message),
      CryptoError,
    );
    await assertRejects(
      () => importSigning(new Uint8Array(length), a.publicKey),
      CryptoError,
    );
  }
});

Deno.test("Ed25519: a pair survives export and import, and leaves only if it may", async () => {
  const pair = await generateSigning(true);
  const seed = await exportSigning(pair);
  assertEquals(seed.length, ED25519_BYTES);
  const again = await importSigning(seed, pair.publicKey);
  const message = hex("00");
  assertEquals(
    await sign(again.privateKey, message),
    await sign(pair.privateKey, message),
  );
  await assertRejects(() => exportSigning(again), CryptoError);
  await assertRejects(
    async () => exportSigning(await generateSigning()),
    CryptoError,
  );
});
