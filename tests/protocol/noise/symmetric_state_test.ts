import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { concat, utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import { hkdfSha256, sha256 } from "../../../lib/protocol/crypto/hash.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import { openingOf } from "../../../lib/protocol/noise/opening.ts";
import { SymmetricState } from "../../../lib/protocol/noise/symmetric_state.ts";

const NOTHING = new Uint8Array(0);
const SECRET = new Uint8Array(32).fill(7);

Deno.test("SymmetricState: mixing and splitting are RFC 5869's HKDF with the chaining key as salt", async () => {
  const state = new SymmetricState(await openingOf("x".repeat(32), []));
  state.mixHash(utf8("a"));
  assertEquals(
    await state.hash,
    await sha256(concat(utf8("x".repeat(32)), utf8("a"))),
  );
  state.mixKey(SECRET);
  const mixed = await hkdfSha256(SECRET, utf8("x".repeat(32)), NOTHING, 64);
  state.mixKeyAndHash(SECRET);
  const again = await hkdfSha256(SECRET, mixed.slice(0, 32), NOTHING, 96);
  assertEquals(
    await state.hash,
    await sha256(
      concat(
        await sha256(concat(utf8("x".repeat(32)), utf8("a"))),
        again.slice(32, 64),
      ),
    ),
  );
  const split = await hkdfSha256(NOTHING, again.slice(0, 32), NOTHING, 64);
  assertEquals(concat(...await state.split()), split);
});

Deno.test("SymmetricState: what is sealed is bound to everything that was said before", async () => {
  const opening = await openingOf("name", []);
  const [a, b, c] = [
    new SymmetricState(opening),
    new SymmetricState(opening),
    new SymmetricState(opening),
  ];
  for (const each of [a, b, c]) each.mixKey(SECRET);
  c.mixHash(utf8("something else"));
  const sealed = await a.encryptAndHash(utf8("x"));
  assertEquals(await b.decryptAndHash(sealed), utf8("x"));
  assertEquals(await a.hash, await b.hash);
  await assertRejects(() => c.decryptAndHash(sealed), CryptoError);
  assertNotEquals(await a.encryptAndHash(utf8("x")), sealed);
  for (const each of [a, b, c]) await each.settled();
});

Deno.test("SymmetricState: a secret that fails to come fails the next seal, open and split, each with that error", async () => {
  const opening = await openingOf("name", []);
  const broken = (): SymmetricState => {
    const state = new SymmetricState(opening);
    state.mixKey(Promise.reject(new CryptoError("low order")));
    return state;
  };
  const fails = (call: () => Promise<unknown>) =>
    assertRejects(call, CryptoError, "low order");
  await fails(() => broken().encryptAndHash(utf8("x")));
  await fails(() => broken().decryptAndHash(new Uint8Array(17)));
  await fails(() => broken().split());
  const mixedOver = broken();
  mixedOver.mixKey(SECRET);
  mixedOver.mixKeyAndHash(SECRET);
  await fails(() => mixedOver.encryptAndHash(utf8("x")));
  await fails(() => mixedOver.hash);
  // Of these nobody asks anything: none may be an unhandled rejection.
  broken().mixKeyAndHash(SECRET);
  broken().encryptAndHash(utf8("x"));
  broken().decryptAndHash(new Uint8Array(17));
  await new Promise((resolve) => setTimeout(resolve, 5));
});

Deno.test("SymmetricState: nothing is under way once it has settled, also of what failed", async () => {
  const state = new SymmetricState(await openingOf("name", []));
  const secret = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
  let ended = false;
  const late = secret.promise.finally(() => ended = true);
  state.mixKey(late);
  state.mixHash(Promise.reject(new CryptoError("no data")));
  const settled = state.settled();
  secret.resolve(SECRET);
  await settled;
  assert(ended);
  await state.settled();
});
