import { assertEquals, assertThrows } from "@std/assert";
import { RELAY } from "../../../lib/onion/cell/message.ts";
import { LayerKey } from "../../../lib/onion/circuit/layer_key.ts";
import {
  offerMeeting,
  readMeeting,
} from "../../../lib/onion/service/introduction_handshake.ts";
import {
  openDescriptor,
  sealDescriptor,
} from "../../../lib/onion/service/sealed_descriptor.ts";
import {
  parseServiceDescriptor,
  signServiceDescriptor,
} from "../../../lib/onion/service/service_descriptor.ts";
import {
  encodeEstablishIntro,
  encodeRendezvous,
  parseIntroduce,
  parseRendezvous,
  readEstablishIntro,
} from "../../../lib/onion/service/service_message.ts";
import {
  indexOf,
  periodAt,
  storesOf,
} from "../../../lib/onion/service/service_ring.ts";
import {
  exportSigning,
  generateDh,
  generateSigning,
  importSigning,
} from "../../../lib/protocol/mod.ts";
import { TEST_TIME, testNodeKeyring } from "../../support/keyrings.ts";
import { ed25519Pair, random } from "../../spec/naive_primitives.ts";
import { relay } from "../path/relays.ts";
import * as naive from "./naive_service.ts";

// What the text says against what the code does: each side reads what the other has written.

const keyring = await testNodeKeyring();
const { fingerprint, bytes: certificate } = keyring.certificate;
const FIELDS = {
  points: [1, 2, 3].map(() => ({
    relay: random(32),
    authKey: random(32),
    sealKey: random(32),
  })),
  publishedAt: TEST_TIME,
  lifetime: 10_800,
};

Deno.test("SPEC.md §12.8: where a descriptor lies", async () => {
  const relays = Array.from({ length: 30 }, (_, id) => relay({ id }));
  const prints = relays.map(({ descriptor }) =>
    descriptor.identity.fingerprint
  );
  for (let i = 0; i < 50; i++) {
    const print = random(32);
    const now = TEST_TIME + i * 9_973;
    const period = periodAt(print, now);
    assertEquals(naive.period(print, now), period);
    const index = await indexOf(print, period);
    assertEquals(naive.index(print, period), index);
    const stores = await storesOf(relays, index, period);
    assertEquals(
      naive.stores(prints, index, period),
      stores.map(({ descriptor }) => descriptor.identity.fingerprint),
    );
  }
});

Deno.test("SPEC.md §12.8: a descriptor, and how it is sealed", async () => {
  const index = naive.index(fingerprint, 20_000);
  const signing = {
    secret: await exportSigning(keyring.signing),
    open: keyring.signing.publicKey,
  };
  const mine = await signServiceDescriptor(FIELDS, keyring);
  // Ed25519 signs the same text in the same way (RFC 8032).
  assertEquals(
    naive.writeDescriptor({ certificate, ...FIELDS }, signing),
    mine,
  );

  const opened = naive.openDescriptor(
    await sealDescriptor(mine, fingerprint, index),
    fingerprint,
    index,
  );
  assertEquals(naive.readDescriptor(opened), { certificate, ...FIELDS });
  const read = await parseServiceDescriptor(
    await openDescriptor(
      naive.sealDescriptor(mine, fingerprint, index),
      fingerprint,
      index,
    ),
    fingerprint,
    TEST_TIME,
  );
  assertEquals(read, { identity: keyring.certificate, ...FIELDS });
  opened[600]! ^= 1;
  assertThrows(() => naive.readDescriptor(opened));
});

Deno.test("SPEC.md §12.8: ESTABLISH_INTRO", async () => {
  const hash = random(32);
  const raw = ed25519Pair();
  assertEquals(
    await readEstablishIntro(naive.establishIntro(raw, hash), hash),
    raw.open,
  );
  const pair = await importSigning(raw.secret, raw.open);
  assertEquals(
    await encodeEstablishIntro(pair, hash),
    naive.establishIntro(raw, hash),
  );
});

Deno.test("SPEC.md §12.8: INTRODUCE and RENDEZVOUS_JOINED", async () => {
  const pair = await generateDh();
  const auth = await generateSigning();
  const point = {
    relay: random(32),
    authKey: auth.publicKey,
    sealKey: pair.publicKey,
  };
  const meeting = { relay: random(32), cookie: random(32), hops: 3 };
  const { data, joined } = await naive.introduce(
    point,
    fingerprint,
    meeting.relay,
    meeting.cookie,
    meeting.hops,
  );
  const { authKey, message } = parseIntroduce(data);
  assertEquals(authKey, point.authKey);
  const read = await readMeeting(message, pair, authKey, fingerprint);
  assertEquals(read.meeting, meeting);
  const { answer, keys } = await read.acceptance.finish();
  const rendezvous = encodeRendezvous(meeting.cookie, answer);
  assertEquals(rendezvous.slice(0, 32), meeting.cookie);
  const [there, back] = await joined(parseRendezvous(rendezvous).answer);
  const plaintext = random(100);
  const sealed = await (await LayerKey.of(there)).seal(plaintext);
  assertEquals(await keys.forward.open(sealed), plaintext);
  const answered = await keys.backward.seal(plaintext);
  assertEquals(await (await LayerKey.of(back)).open(answered), plaintext);

  const offer = await offerMeeting(meeting, point, fingerprint);
  assertEquals(offer.message.length, message.length);
});

Deno.test("SPEC.md §12.8: the numbers of the messages", () => {
  const named = Object.entries(RELAY).filter(([, number]) => number >= 10);
  assertEquals(named.sort(([, a], [, b]) => a - b), [
    ["INTRODUCE", 10],
    ["INTRODUCED", 11],
    ["ESTABLISH_INTRO", 12],
    ["INTRO_ESTABLISHED", 13],
    ["ESTABLISH_RENDEZVOUS", 14],
    ["RENDEZVOUS_ESTABLISHED", 15],
    ["RENDEZVOUS", 16],
    ["RENDEZVOUS_JOINED", 17],
    ["PUBLISH", 18],
    ["PUBLISHED", 19],
    ["FETCH", 20],
    ["FETCHED", 21],
  ]);
});
