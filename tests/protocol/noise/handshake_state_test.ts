import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { utf8 } from "../../../lib/protocol/bytes/bytes.ts";
import { MalformedError } from "../../../lib/protocol/bytes/malformed_error.ts";
import { CryptoError } from "../../../lib/protocol/crypto/subtle.ts";
import { generateDh } from "../../../lib/protocol/crypto/x25519.ts";
import {
  HandshakeState,
  NOISE_MESSAGE_LIMIT,
} from "../../../lib/protocol/noise/handshake_state.ts";
import { patternOf } from "../../../lib/protocol/noise/pattern.ts";
import { converse, flipped, sides } from "./handshakes.ts";

const EMPTY = new Uint8Array(0);

const PATTERNS = ["N", "K", "X", "NN", "NK", "NX", "KN", "KK", "KX", "XN", "XK"]
  .concat("XX", "IN", "IK", "IX", "NKhfs")
  .concat("NKpsk0", "NKpsk2", "IKpsk1", "XXpsk3", "NNpsk0", "Npsk0", "Xpsk1");

for (const pattern of PATTERNS) {
  Deno.test(`Noise ${pattern}: both roles end with crossed keys, one hash, and whom they spoke with`, async () => {
    const both = await sides(pattern);
    const { payloads } = await converse(both);
    assertEquals(
      payloads,
      payloads.map((_, turn) => utf8(`payload ${turn}`)),
    );
    assertEquals(payloads.length, patternOf(pattern).messages.length);
    const mine = await both.initiator.split();
    const theirs = await both.responder.split();
    assertEquals(mine.sendKey, theirs.receiveKey);
    assertEquals(mine.receiveKey, theirs.sendKey);
    assertNotEquals(mine.sendKey, mine.receiveKey);
    assertEquals(mine.hash, theirs.hash);
    const { preMessages, messages } = patternOf(pattern);
    const tells = (side: 0 | 1) =>
      messages.some((tokens, i) => i % 2 === side && tokens.includes("s"));
    assertEquals(
      theirs.remoteStatic,
      preMessages.initiator || tells(0)
        ? both.statics.initiator.publicKey
        : undefined,
    );
    assertEquals(
      mine.remoteStatic,
      preMessages.responder || tells(1)
        ? both.statics.responder.publicKey
        : undefined,
    );
  });

  Deno.test(`Noise ${pattern}: two handshakes of the same two give other keys and another hash`, async () => {
    const first = await sides(pattern);
    const second = await sides(pattern, { statics: first.statics });
    await converse(first);
    await converse(second);
    const [a, b] = [
      await first.initiator.split(),
      await second.initiator.split(),
    ];
    assertNotEquals(a.sendKey, b.sendKey);
    assertNotEquals(a.receiveKey, b.receiveKey);
    assertNotEquals(a.hash, b.hash);
  });
}

// With a pattern without keys beforehand the first message is not sealed yet.
for (
  const pattern of PATTERNS.filter((each) =>
    !/^(NN|NX|XN|XX|IN|IX|KN|KX)$/.test(each)
  )
) {
  Deno.test(`Noise ${pattern}: another prologue is refused with the first message`, async () => {
    const { initiator, responder } = await sides(pattern, {
      responder: { prologue: utf8("another") },
    });
    const message = await initiator.write(EMPTY);
    await assertRejects(() => responder.read(message), CryptoError);
  });
}

Deno.test("Noise: another pre-shared key is refused", async () => {
  for (const pattern of ["NKpsk0", "IKpsk1", "NNpsk0"]) {
    const { initiator, responder } = await sides(pattern, {
      responder: { preSharedKeys: [new Uint8Array(32).fill(4)] },
    });
    const message = await initiator.write(EMPTY);
    await assertRejects(() => responder.read(message), CryptoError);
  }
});

Deno.test("Noise: a call out of turn is refused and leaves the handshake as it was", async () => {
  const both = await sides("XX");
  const { initiator, responder } = both;
  const refused = (call: () => Promise<unknown>) =>
    assertRejects(call, RangeError, "not the turn");
  await refused(() => responder.write(EMPTY));
  await refused(() => initiator.read(new Uint8Array(32)));
  const first = await initiator.write(EMPTY);
  await refused(() => initiator.write(EMPTY));
  await responder.read(first);
  await refused(() => responder.read(first));
  const second = await responder.write(EMPTY);
  await initiator.read(second);
  await refused(() => initiator.read(second));
  await responder.read(await initiator.write(EMPTY));
  for (const each of [initiator, responder]) {
    assert(each.finished);
    await refused(() => each.write(EMPTY));
    await refused(() => each.read(EMPTY));
  }
  assertEquals((await initiator.split()).hash, (await responder.split()).hash);
});

Deno.test("Noise: there are no keys before the last message", async () => {
  const { initiator, responder } = await sides("XX");
  await assertRejects(() => initiator.split(), RangeError);
  await responder.read(await initiator.write(EMPTY));
  await initiator.read(await responder.write(EMPTY));
  await assertRejects(() => initiator.split(), RangeError);
  await responder.read(await initiator.write(EMPTY));
  await initiator.split();
});

Deno.test("Noise: a key that the pattern demands and nobody gave is named", async () => {
  const own = await generateDh();
  const remote = (await generateDh()).publicKey;
  await assertRejects(
    () =>
      HandshakeState.initialize(
        "Noise_NK_25519_AESGCM_SHA256",
        "initiator",
        {},
      ),
    RangeError,
    "the responder's static key is missing",
  );
  await assertRejects(
    () =>
      HandshakeState.initialize(
        "Noise_NK_25519_AESGCM_SHA256",
        "responder",
        {},
      ),
    RangeError,
    "the responder's static key is missing",
  );
  const noStatic = await HandshakeState.initialize(
    "Noise_IK_25519_AESGCM_SHA256",
    "initiator",
    { remoteStatic: remote },
  );
  await assertRejects(
    () => noStatic.write(EMPTY),
    RangeError,
    "the own static key is missing",
  );
  const noPsk = await HandshakeState.initialize(
    "Noise_NKpsk0_25519_AESGCM_SHA256",
    "initiator",
    { remoteStatic: remote, static: own },
  );
  await assertRejects(
    () => noPsk.write(EMPTY),
    RangeError,
    "a pre-shared key is missing",
  );
  await assertRejects(
    () => HandshakeState.initialize("Noise", "initiator", {}),
    RangeError,
  );
});

Deno.test("Noise: a message is at most 65,535 bytes, both ways", async () => {
  const { initiator, responder } = await sides("NN");
  const message = await initiator.write(
    new Uint8Array(NOISE_MESSAGE_LIMIT - 32),
  );
  assertEquals(message.length, NOISE_MESSAGE_LIMIT);
  assertEquals(
    (await responder.read(message)).length,
    NOISE_MESSAGE_LIMIT - 32,
  );
  await assertRejects(
    () => responder.write(new Uint8Array(NOISE_MESSAGE_LIMIT)),
    RangeError,
  );
  const other = await sides("NN");
  await assertRejects(
    () => other.responder.read(new Uint8Array(NOISE_MESSAGE_LIMIT + 1)),
    MalformedError,
  );
});

Deno.test("Noise: an altered static key in flight is refused (IK, XX)", async () => {
  const ik = await sides("IK");
  const hello = await ik.initiator.write(EMPTY);
  for (let bit = 32 * 8; bit < hello.length * 8; bit += 5) {
    const { responder } = await sides("IK", { statics: ik.statics });
    await assertRejects(() => responder.read(flipped(hello, bit)), CryptoError);
  }
  const xx = await sides("XX");
  await xx.responder.read(await xx.initiator.write(EMPTY));
  const answer = await xx.responder.write(EMPTY);
  await assertRejects(
    () => xx.initiator.read(flipped(answer, 40 * 8)),
    CryptoError,
  );
});
