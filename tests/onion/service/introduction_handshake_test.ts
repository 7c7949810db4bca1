import { assertEquals, assertRejects } from "@std/assert";
import {
  offerMeeting,
  readMeeting,
} from "../../../lib/onion/service/introduction_handshake.ts";
import { KeyOffer } from "../../../lib/onion/circuit/key_agreement.ts";
import type { Bytes } from "../../../lib/protocol/mod.ts";
import {
  concat,
  CryptoError,
  generateDh,
  MalformedError,
  randomBytes,
  utf8,
} from "../../../lib/protocol/mod.ts";

const FINGERPRINT = randomBytes(32);
const MEETING = { relay: randomBytes(32), cookie: randomBytes(32), hops: 3 };

async function pointOf() {
  const pair = await generateDh();
  const point = {
    relay: randomBytes(32),
    authKey: randomBytes(32),
    sealKey: pair.publicKey,
  };
  return { pair, point };
}

Deno.test("introduction handshake: the service learns where to go, and both have the same keys", async () => {
  const { pair, point } = await pointOf();
  const offer = await offerMeeting(MEETING, point, FINGERPRINT);
  const { meeting, acceptance } = await readMeeting(
    offer.message,
    pair,
    point.authKey,
    FINGERPRINT,
  );
  assertEquals(meeting, MEETING);
  const service = await acceptance.finish();
  const client = await offer.finish(service.answer);
  assertEquals(client.binding, service.keys.binding);
  const there = utf8("there");
  assertEquals(
    await service.keys.forward.open(await client.forward.seal(there)),
    there,
  );
  assertEquals(
    await client.backward.open(await service.keys.backward.seal(there)),
    there,
  );
});

Deno.test("introduction handshake: two offers of the same meeting have nothing in common", async () => {
  const { point } = await pointOf();
  const one = await offerMeeting(MEETING, point, FINGERPRINT);
  const two = await offerMeeting(MEETING, point, FINGERPRINT);
  assertEquals(
    one.message.slice(0, 32).every((byte, i) => byte === two.message[i]),
    false,
  );
});

Deno.test("S4: an introduction for another service, or another point, is not read", async () => {
  const { pair, point } = await pointOf();
  const { message } = await offerMeeting(MEETING, point, FINGERPRINT);
  const { authKey } = point;
  const other = await pointOf();
  const wrong: [typeof pair, Bytes, Bytes][] = [
    [other.pair, authKey, FINGERPRINT],
    [pair, other.point.authKey, FINGERPRINT],
    [pair, authKey, randomBytes(32)],
  ];
  for (const [keys, auth, print] of wrong) {
    await assertRejects(
      () => readMeeting(message, keys, auth, print),
      CryptoError,
    );
  }
});

Deno.test("S4: whoever passes an introduction on cannot alter it", async () => {
  const { pair, point } = await pointOf();
  const { message } = await offerMeeting(MEETING, point, FINGERPRINT);
  const refused = (altered: Bytes, what: string) =>
    assertRejects(
      () => readMeeting(altered, pair, point.authKey, FINGERPRINT),
      Error,
      undefined,
      what,
    );
  for (let at = 0; at < message.length; at += 3) {
    const altered = message.slice();
    altered[at]! ^= 1 << at % 8;
    await refused(altered, `altered at ${at}`);
  }
  for (let length = 0; length < message.length; length += 7) {
    await refused(message.slice(0, length), `cut to ${length}`);
  }
  // The highest bit of an X25519 key does not count; that of a hash does.
  const masked = message.slice();
  masked[31]! ^= 0x80;
  await refused(masked, "the highest bit");
});

Deno.test("S4: whoever passes the answer on cannot alter it", async () => {
  const { pair, point } = await pointOf();
  const answerOf = async () => {
    const offer = await offerMeeting(MEETING, point, FINGERPRINT);
    const { acceptance } = await readMeeting(
      offer.message,
      pair,
      point.authKey,
      FINGERPRINT,
    );
    return { offer, answer: (await acceptance.finish()).answer };
  };
  for (const at of [0, 31, 32, 600, 1_135, 1_151]) {
    const { offer, answer } = await answerOf();
    answer[at]! ^= 1;
    await assertRejects(() => offer.finish(answer), Error);
  }
  const [one, two] = [await answerOf(), await answerOf()];
  await assertRejects(() => one.offer.finish(two.answer), Error);
});

Deno.test("introduction handshake: a meeting at the end of no circuit is refused", async () => {
  const { pair, point } = await pointOf();
  const prologue = concat(
    utf8("sotto introduction 1"),
    FINGERPRINT,
    point.authKey,
  );
  const payload = (length: number, hops: number) => {
    const bytes = randomBytes(length);
    if (length > 64) bytes[64] = hops;
    return bytes;
  };
  const table: [Bytes, boolean][] = [
    [payload(65, 1), true],
    [payload(65, 7), true],
    [payload(65, 0), false],
    [payload(65, 8), false],
    [payload(65, 255), false],
    [payload(64, 3), false],
    [payload(66, 3), false],
    [payload(0, 3), false],
  ];
  for (const [bytes, isGood] of table) {
    const { message } = await KeyOffer.begin(prologue, point.sealKey, bytes);
    const reading = () =>
      readMeeting(message, pair, point.authKey, FINGERPRINT);
    if (isGood) assertEquals((await reading()).meeting.hops, bytes[64]);
    else await assertRejects(reading, MalformedError);
  }
});
