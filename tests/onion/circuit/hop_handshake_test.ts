import { assert, assertEquals, assertRejects } from "@std/assert";
import { BODY_BYTES, HOPS_LIMIT, SMALL } from "../../../lib/onion/cell/cell.ts";
import { capacity } from "../../../lib/onion/cell/message.ts";
import {
  acceptHop,
  handshakeBody,
  HopHandshake,
  OnionKeyError,
} from "../../../lib/onion/circuit/hop_handshake.ts";
import type { HopTarget } from "../../../lib/onion/circuit/hop_handshake.ts";
import type { HopKeys } from "../../../lib/onion/circuit/layer_key.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  CryptoError,
  generateDh,
  MalformedError,
  randomBytes,
} from "../../../lib/protocol/mod.ts";

const fingerprint = randomBytes(32);
const onion = await generateDh();
const target: HopTarget = { fingerprint, onionKey: onion.publicKey };

/** Whether what one side seals the other opens. */
async function fit(client: HopKeys, relay: HopKeys): Promise<void> {
  const text = randomBytes(40);
  assertEquals(
    await relay.forward.open(await client.forward.seal(text)),
    text,
  );
  assertEquals(
    await client.backward.open(await relay.backward.seal(text)),
    text,
  );
}

/** Refused as bytes that do not hold together, whatever is wrong with them. */
async function assertRefused(work: () => Promise<unknown>): Promise<void> {
  const error = await assertRejects(work);
  assert(
    error instanceof CryptoError || error instanceof MalformedError ||
      error instanceof OnionKeyError,
    `${error}`,
  );
}

Deno.test("S4.4: both sides agree on keys and on the position, at every position, and it fits into small cells", async () => {
  for (let position = 1; position <= HOPS_LIMIT; position++) {
    const handshake = await HopHandshake.begin(target, position);
    const body = handshakeBody(handshake.request);
    assertEquals(body.length, BODY_BYTES[SMALL]);
    const hop = await acceptHop(body, fingerprint, [onion]);
    assertEquals(hop.position, position);
    await fit(await handshake.finish(handshakeBody(hop.answer)), hop.keys);
    // In EXTEND behind a fingerprint, said to the relay before.
    const extend = 32 + handshake.request.length;
    assert(extend <= capacity(SMALL, Math.max(1, position - 1)));
  }
});

Deno.test("S4.4: keys differ from hop to hop, and in the two directions", async () => {
  const seen = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const handshake = await HopHandshake.begin(target, 1);
    const hop = await acceptHop(handshake.request, fingerprint, [onion]);
    const keys = await handshake.finish(hop.answer);
    assertEquals(keys.binding, hop.keys.binding);
    seen.add(keys.binding.toHex());
    const text = new Uint8Array(32);
    seen.add((await keys.forward.seal(text)).toHex());
    seen.add((await hop.keys.backward.seal(text)).toHex());
  }
  assertEquals(seen.size, 12);
});

Deno.test("S4.4: any of several onion keys answers; another's does not, nor does another fingerprint", async () => {
  const [other, third] = [await generateDh(), await generateDh()];
  const handshake = await HopHandshake.begin(target, 1);
  const hop = await acceptHop(handshake.request, fingerprint, [
    other,
    onion,
    third,
  ]);
  await fit(await handshake.finish(hop.answer), hop.keys);
  await assertRejects(
    () => acceptHop(handshake.request, fingerprint, [other, third]),
    OnionKeyError,
  );
  await assertRejects(
    () => acceptHop(handshake.request, fingerprint, []),
    OnionKeyError,
  );
  await assertRefused(() =>
    acceptHop(handshake.request, randomBytes(32), [onion])
  );
  // A directory that puts its own key in place of the relay's gets no answer that holds.
  const swapped = await HopHandshake.begin(
    { fingerprint: randomBytes(32), onionKey: onion.publicKey },
    1,
  );
  await assertRefused(() => acceptHop(swapped.request, fingerprint, [onion]));
});

Deno.test("positions that no circuit has are refused", async () => {
  for (const position of [0, HOPS_LIMIT + 1, 255, 256]) {
    const handshake = await HopHandshake.begin(target, position);
    await assertRefused(() =>
      acceptHop(handshake.request, fingerprint, [onion])
    );
  }
});

Deno.test("a request that is altered at any byte, or cut, is refused", async () => {
  const { request } = await HopHandshake.begin(target, 1);
  for (const [at] of request.entries()) {
    const altered = request.slice();
    altered[at]! ^= 1 << (at % 8);
    await assertRefused(() => acceptHop(altered, fingerprint, [onion]));
  }
  for (let length = 0; length < request.length; length++) {
    await assertRefused(() =>
      acceptHop(request.slice(0, length), fingerprint, [onion])
    );
  }
});

Deno.test("an answer that is altered at any byte, cut, or another's, is refused", async () => {
  const whole = await answered();
  const keys = await whole.handshake.finish(whole.answer);
  await fit(keys, whole.keys);
  // A handshake is good for one answer only, so that every attempt needs its own.
  const attempt = async (change: (answer: Bytes) => Bytes) => {
    const { handshake, answer } = await answered();
    await assertRefused(() => handshake.finish(change(answer)));
  };
  for (let at = 0; at < whole.answer.length; at += 9) {
    await attempt((answer) => {
      answer[at]! ^= 1 << (at % 8);
      return answer;
    });
    await attempt((answer) => answer.slice(0, at));
  }
  await attempt(() => whole.answer);
});

async function answered() {
  const handshake = await HopHandshake.begin(target, 1);
  const { answer, keys } = await acceptHop(
    handshake.request,
    fingerprint,
    [onion],
  );
  return { handshake, answer: answer.slice(), keys };
}

Deno.test("S4.4: a request that is sent again makes other keys, which only its maker could know", async () => {
  const handshake = await HopHandshake.begin(target, 1);
  const first = await acceptHop(handshake.request, fingerprint, [onion]);
  const again = await acceptHop(handshake.request, fingerprint, [onion]);
  assert(first.answer.toHex() !== again.answer.toHex());
  const keys = await handshake.finish(first.answer);
  await fit(keys, first.keys);
  const sealed = await keys.forward.seal(new Uint8Array(40));
  await assertRejects(() => again.keys.forward.open(sealed), CryptoError);
});
