import { assertEquals, assertRejects } from "@std/assert";
import { utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import { importAead, open } from "../../../lib/protocol/crypto/aead.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import {
  CipherState,
  counterNonce,
} from "../../../lib/protocol/noise/cipher_state.ts";

const KEY = new Uint8Array(32).fill(5);
const NOTHING = new Uint8Array(0);

function keyed(): CipherState {
  const state = new CipherState();
  state.initializeKey(KEY);
  return state;
}

Deno.test("CipherState: the nonce is four zero bytes and the counter, big-endian (Noise rev 34 §12.4)", () => {
  assertEquals(counterNonce(0n).toHex(), "00".repeat(12));
  assertEquals(
    counterNonce(0x0102030405060708n).toHex(),
    "00000000" + "0102030405060708",
  );
});

Deno.test("CipherState: without a key data passes as it is", async () => {
  const state = new CipherState();
  assertEquals(state.hasKey, false);
  assertEquals(await state.encrypt(NOTHING, utf8("x")), utf8("x"));
  assertEquals(await state.decrypt(NOTHING, utf8("x")), utf8("x"));
  state.initializeKey(KEY);
  assertEquals(state.hasKey, true);
});

Deno.test("CipherState: every message has the next nonce; a new key starts again at zero", async () => {
  const state = keyed();
  const key = await importAead(KEY);
  for (let counter = 0n; counter < 3n; counter++) {
    const sealed = await state.encrypt(utf8("ad"), utf8("x"));
    assertEquals(
      await open(key, counterNonce(counter), sealed, utf8("ad")),
      utf8("x"),
    );
  }
  state.initializeKey(KEY);
  const sealed = await state.encrypt(NOTHING, utf8("x"));
  assertEquals(await open(key, counterNonce(0n), sealed, NOTHING), utf8("x"));
});

Deno.test("CipherState: many seals at once never share a nonce and keep their order", async () => {
  const [from, to] = [keyed(), keyed()];
  const sealed = await Promise.all(
    Array.from({ length: 50 }, (_, i) => from.encrypt(NOTHING, utf8(`${i}`))),
  );
  for (const [i, each] of sealed.entries()) {
    assertEquals(await to.decrypt(NOTHING, each), utf8(`${i}`));
  }
});

Deno.test("CipherState: many may be opened at once; what does not open stands in nobody's way", async () => {
  const [from, to] = [keyed(), keyed()];
  const sealed = await Promise.all(
    Array.from({ length: 4 }, (_, i) => from.encrypt(NOTHING, utf8(`${i}`))),
  );
  const opened = sealed.map((each, i) =>
    to.decrypt(i === 1 ? utf8("other") : NOTHING, each)
  );
  await assertRejects(() => opened[1]!, CryptoError);
  for (const i of [0, 2, 3]) assertEquals(await opened[i]!, utf8(`${i}`));
  await assertRejects(() => to.decrypt(NOTHING, sealed[1]!), CryptoError);
});

Deno.test("CipherState: key and data may come later, a call keeps the key it was made under", async () => {
  const raw = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  const state = new CipherState();
  state.initializeKey(raw.promise);
  assertEquals(state.hasKey, true);
  const first = state.encrypt(Promise.resolve(utf8("ad")), utf8("x"));
  state.initializeKey(new Uint8Array(32).fill(6));
  raw.resolve(KEY);
  const key = await importAead(KEY);
  assertEquals(
    await open(key, counterNonce(0n), await first, utf8("ad")),
    utf8("x"),
  );
});

Deno.test("CipherState: a key that fails to come fails what needs it, and nothing else", async () => {
  const state = new CipherState();
  state.initializeKey(Promise.reject(new CryptoError("no key")));
  await assertRejects(
    () => state.encrypt(NOTHING, utf8("x")),
    CryptoError,
    "no key",
  );
  await assertRejects(
    () => state.decrypt(NOTHING, new Uint8Array(17)),
    CryptoError,
    "no key",
  );
  // Of this one nobody asks anything: it must not be an unhandled rejection either.
  new CipherState().initializeKey(Promise.reject(new CryptoError("no key")));
  await new Promise((resolve) => setTimeout(resolve, 1));
});
