import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { concat, utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import type { Bytes } from "../../../lib/protocol/bytes/bytes.ts";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";
import { importAead, open, seal } from "../../../lib/protocol/crypto/aead.ts";
import { hkdfSha256, sha256 } from "../../../lib/protocol/crypto/hash.ts";
import {
  encapsulate,
  generateKem,
  KEM_PUBLIC_BYTES,
} from "../../../lib/protocol/crypto/ml_kem.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import { dh, generateDh } from "../../../lib/protocol/crypto/x25519.ts";
import { openingOf } from "../../../lib/protocol/noise/opening.ts";
import { SymmetricState } from "../../../lib/protocol/noise/symmetric_state.ts";
import { eachOf, flipped, NKHFS, PROLOGUE, sides } from "./handshakes.ts";

const EMPTY = new Uint8Array(0);
const NONCE = new Uint8Array(12);
/** e ‖ sealed e1 ‖ sealed empty payload; e ‖ sealed ekem1 ‖ sealed empty payload. */
const HELLO_BYTES = 32 + (1_184 + 16) + 16;
const ANSWER_BYTES = 32 + (1_088 + 16) + 16;

Deno.test("S1.2: NKhfs: two messages of fixed length, crossed keys, one hash", async () => {
  const { initiator, responder } = await sides("NKhfs");
  const hello = await initiator.write(EMPTY);
  assertEquals(hello.length, HELLO_BYTES);
  assertEquals(await responder.read(hello), EMPTY);
  const answer = await responder.write(EMPTY);
  assertEquals(answer.length, ANSWER_BYTES);
  assertEquals(await initiator.read(answer), EMPTY);
  const [mine, theirs] = [await initiator.split(), await responder.split()];
  assertEquals(mine.sendKey, theirs.receiveKey);
  assertEquals(mine.receiveKey, theirs.sendKey);
  assertEquals(mine.hash, theirs.hash);
});

/** Noise's chain of h, ck and k as plain steps, each computed from the primitives alone. */
async function naiveResponder(
  hello: Bytes,
  own: Awaited<ReturnType<typeof generateDh>>,
): Promise<{ answer: Bytes; first: Bytes; second: Bytes; hash: Bytes }> {
  const ephemeral = await generateDh();
  const expand = async (ck: Bytes, input: Bytes) => {
    const bytes = await hkdfSha256(input, ck, EMPTY, 64);
    return [bytes.slice(0, 32), bytes.slice(32)] as const;
  };
  let h = await sha256(utf8(NKHFS));
  const ck0 = h;
  h = await sha256(concat(h, PROLOGUE));
  h = await sha256(concat(h, own.publicKey));
  const e = hello.slice(0, 32);
  h = await sha256(concat(h, e));
  const [ck1, k1] = await expand(ck0, await dh(own.privateKey, e));
  const key1 = await importAead(k1);
  const sealedKem = hello.slice(32, 32 + 1_200);
  const kem = await open(key1, NONCE, sealedKem, h);
  h = await sha256(concat(h, sealedKem));
  const one = new Uint8Array([...new Uint8Array(11), 1]);
  await open(key1, one, hello.slice(1_232), h);
  h = await sha256(concat(h, hello.slice(1_232)));
  h = await sha256(concat(h, ephemeral.publicKey));
  const [ck2, k2] = await expand(ck1, await dh(ephemeral.privateKey, e));
  const { secret, ciphertext } = await encapsulate(kem);
  const ekem = await seal(await importAead(k2), NONCE, ciphertext, h);
  h = await sha256(concat(h, ekem));
  const [ck3, k3] = await expand(ck2, secret);
  const payload = await seal(await importAead(k3), NONCE, EMPTY, h);
  h = await sha256(concat(h, payload));
  const [first, second] = await expand(ck3, EMPTY);
  const answer = concat(ephemeral.publicKey, ekem, payload);
  return { answer, first, second, hash: h };
}

Deno.test("S1.2: NKhfs: a responder written out step by step from the primitives agrees", async () => {
  const { initiator, statics } = await sides("NKhfs");
  const hello = await initiator.write(EMPTY);
  const naive = await naiveResponder(hello, statics.responder);
  await initiator.read(naive.answer);
  const result = await initiator.split();
  assertEquals(result.sendKey, naive.first);
  assertEquals(result.receiveKey, naive.second);
  assertEquals(result.hash, naive.hash);
});

Deno.test("S1.2: NKhfs: every flipped bit of the first message is refused", async () => {
  const { initiator, statics } = await sides("NKhfs");
  const hello = await initiator.write(EMPTY);
  let refused = 0;
  await eachOf(hello.length * 8, async (bit) => {
    const { responder } = await sides("NKhfs", { statics });
    await assertRejects(() => responder.read(flipped(hello, bit)), CryptoError);
    refused++;
  });
  assertEquals(refused, HELLO_BYTES * 8);
});

Deno.test("S1.2: NKhfs: every flipped bit of the second message is refused", async () => {
  const { statics } = await sides("NKhfs");
  let refused = 0;
  await eachOf(ANSWER_BYTES * 8, async (bit) => {
    const { initiator, responder } = await sides("NKhfs", { statics });
    await responder.read(await initiator.write(EMPTY));
    const answer = flipped(await responder.write(EMPTY), bit);
    await assertRejects(() => initiator.read(answer), CryptoError);
    refused++;
  });
  assertEquals(refused, ANSWER_BYTES * 8);
});

Deno.test("NKhfs: cut at every byte, or longer by one, either message is refused", async () => {
  const { initiator, responder, statics } = await sides("NKhfs");
  const hello = await initiator.write(EMPTY);
  const refuses = async (read: Promise<unknown>) => {
    const error = await read.then(() => undefined, (e) => e);
    assert(error instanceof MalformedError || error instanceof CryptoError);
  };
  await eachOf(hello.length, async (length) => {
    const { responder } = await sides("NKhfs", { statics });
    await refuses(responder.read(hello.slice(0, length)));
  });
  const longer = await sides("NKhfs", { statics });
  await refuses(longer.responder.read(concat(hello, new Uint8Array(1))));
  await responder.read(hello);
  for (const length of [0, 31, 32, 1_135, 1_136, 1_151, 1_153]) {
    const other = await sides("NKhfs", { statics });
    await other.responder.read(await other.initiator.write(EMPTY));
    const answer = concat(await other.responder.write(EMPTY), EMPTY);
    const cut = new Uint8Array(length);
    cut.set(answer.subarray(0, length));
    await refuses(other.initiator.read(cut));
  }
});

Deno.test("NKhfs: made for another responder's key, or another prologue, it is refused", async () => {
  const other = (await generateDh()).publicKey;
  for (const change of [{ remoteStatic: other }, { prologue: utf8("x") }]) {
    const { initiator, responder } = await sides("NKhfs", {
      initiator: change,
    });
    const hello = await initiator.write(EMPTY);
    await assertRejects(() => responder.read(hello), CryptoError);
  }
});

Deno.test("NKhfs: one who does not hold the responder's key cannot answer", async () => {
  const { initiator, responder } = await sides("NKhfs");
  const impostor = await sides("NKhfs");
  const hello = await initiator.write(EMPTY);
  const deaf = await sides("NKhfs", { statics: impostor.statics });
  await assertRejects(() => deaf.responder.read(hello), CryptoError);
  // It answers another hello of its own making instead.
  await impostor.responder.read(await impostor.initiator.write(EMPTY));
  const forged = await impostor.responder.write(EMPTY);
  await assertRejects(() => initiator.read(forged), CryptoError);
  await responder.read(hello);
});

Deno.test("NKhfs: its own message, fed back, is refused by either side", async () => {
  const { initiator, responder } = await sides("NKhfs");
  const hello = await initiator.write(EMPTY);
  await assertRejects(() => initiator.read(hello), CryptoError);
  await responder.read(hello);
  const answer = await responder.write(EMPTY);
  await assertRejects(() => responder.read(answer), RangeError);
  const again = await sides("NKhfs");
  await again.initiator.write(EMPTY);
  await assertRejects(() => again.initiator.read(answer), CryptoError);
});

Deno.test("NKhfs: two initiators, or two responders, get nowhere", async () => {
  const { initiator, responder, statics } = await sides("NKhfs");
  const other = await sides("NKhfs", { statics });
  const hello = await initiator.write(EMPTY);
  await assertRejects(() => other.initiator.read(hello), RangeError);
  await assertRejects(() => responder.write(EMPTY), RangeError);
});

Deno.test("NKhfs: a replayed first message gives the one who replays it nothing: other keys, another hash", async () => {
  const { initiator, responder, statics } = await sides("NKhfs");
  const second = await sides("NKhfs", { statics });
  const hello = await initiator.write(EMPTY);
  await responder.read(hello);
  await second.responder.read(hello);
  const answer = await responder.write(EMPTY);
  const other = await second.responder.write(EMPTY);
  assertNotEquals(answer, other);
  const [a, b] = [await responder.split(), await second.responder.split()];
  assertNotEquals(a.sendKey, b.sendKey);
  assertNotEquals(a.receiveKey, b.receiveKey);
  assertNotEquals(a.hash, b.hash);
  await initiator.read(answer);
  assertEquals((await initiator.split()).hash, a.hash);
});

/** The first message of one who knows the keys and breaks the rules: its own e and e1. */
async function forgedHello(
  responderKey: Bytes,
  ephemeral: Bytes,
  shared: Bytes,
  kem: Bytes,
): Promise<Bytes> {
  const state = new SymmetricState(
    await openingOf(NKHFS, [PROLOGUE, responderKey]),
  );
  state.mixHash(ephemeral);
  state.mixKey(shared);
  const sealed = await state.encryptAndHash(kem);
  return concat(ephemeral, sealed, await state.encryptAndHash(EMPTY));
}

Deno.test("NKhfs: an ephemeral key of low order is refused, though its secret is known to everybody", async () => {
  const { responder, statics } = await sides("NKhfs");
  const zero = new Uint8Array(32);
  const hello = await forgedHello(
    statics.responder.publicKey,
    zero,
    zero,
    (await generateKem()).publicKey,
  );
  await assertRejects(
    () => responder.read(hello),
    CryptoError,
    "Cannot agree on a key by X25519",
  );
});

Deno.test("NKhfs: an encapsulation key out of range is refused before anything is made for it", async () => {
  const { responder, statics } = await sides("NKhfs");
  const ephemeral = await generateDh();
  const key = statics.responder.publicKey;
  const hello = await forgedHello(
    key,
    ephemeral.publicKey,
    await dh(ephemeral.privateKey, key),
    new Uint8Array(KEM_PUBLIC_BYTES).fill(0xff),
  );
  await responder.read(hello);
  await assertRejects(
    () => responder.write(EMPTY),
    CryptoError,
    "Cannot encapsulate",
  );
});

Deno.test("NKhfs: an encapsulation key that does not open is refused at once, though the payload behind it does", async () => {
  const { responder, statics } = await sides("NKhfs");
  const ephemeral = await generateDh();
  const key = statics.responder.publicKey;
  const state = new SymmetricState(await openingOf(NKHFS, [PROLOGUE, key]));
  state.mixHash(ephemeral.publicKey);
  state.mixKey(dh(ephemeral.privateKey, key));
  await state.cipher.encrypt(EMPTY, EMPTY);
  const garbage = new Uint8Array(KEM_PUBLIC_BYTES + 16);
  state.mixHash(garbage);
  const payload = await state.encryptAndHash(EMPTY);
  await assertRejects(
    () => responder.read(concat(ephemeral.publicKey, garbage, payload)),
    CryptoError,
    "Cannot open",
  );
});

Deno.test("NKhfs: an answer with an ephemeral key of low order is refused when it is read", async () => {
  const { initiator, responder } = await sides("NKhfs");
  await responder.read(await initiator.write(EMPTY));
  const answer = await responder.write(EMPTY);
  answer.fill(0, 0, 32);
  await assertRejects(
    () => initiator.read(answer),
    CryptoError,
    "Cannot agree on a key by X25519",
  );
});

Deno.test("NKhfs: an encapsulation key out of range and an altered payload at once: one error, none unhandled", async () => {
  const { responder, statics } = await sides("NKhfs");
  const ephemeral = await generateDh();
  const key = statics.responder.publicKey;
  const hello = await forgedHello(
    key,
    ephemeral.publicKey,
    await dh(ephemeral.privateKey, key),
    new Uint8Array(KEM_PUBLIC_BYTES).fill(0xff),
  );
  const altered = flipped(hello, hello.length * 8 - 1);
  await assertRejects(() => responder.read(altered), CryptoError, "open");
});
