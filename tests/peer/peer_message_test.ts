import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  concat,
  generateSigning,
  MalformedError,
  randomBytes,
  sign,
  utf8,
} from "../../lib/protocol/mod.ts";
import type { PeerMessage } from "../../lib/peer/mod.ts";
import {
  FLAG_CONTINUED,
  FLAG_MORE,
  isNumbered,
  MessageType,
  PAYLOAD_LIMIT,
  PEER_MESSAGE_BYTES,
  PeerMessageError,
  signPeerMessage,
  verifyPeerMessage,
} from "../../lib/peer/mod.ts";
import { codeOf, flipped } from "../mailbox/people.ts";

const writer = await generateSigning();
const CONTEXT = randomBytes(112);
const MESSAGE: PeerMessage = {
  type: MessageType.TEXT,
  flags: FLAG_MORE | FLAG_CONTINUED,
  seq: 0x01020304,
  ack: 0x05060708,
  sack: 0x090a0b0c,
  payload: new Uint8Array([0xaa, 0xbb]),
};

function signed(message: PeerMessage): Promise<Bytes> {
  return signPeerMessage(writer.privateKey, CONTEXT, message);
}

function verified(bytes: Bytes): Promise<PeerMessage> {
  return verifyPeerMessage(writer.publicKey, CONTEXT, bytes);
}

/** A body as it is, under a good signature: what a peer can do who does not keep to the layout. */
async function signedBody(body: Bytes): Promise<Bytes> {
  const label = utf8("sotto peer message v1\0");
  return concat(
    body,
    await sign(writer.privateKey, concat(label, CONTEXT, body)),
  );
}

Deno.test("S3.4: PeerMessage: 480 bytes, every field in its place", async () => {
  const bytes = await signed(MESSAGE);
  assertEquals(bytes.length, 480);
  assertEquals(PEER_MESSAGE_BYTES, 480);
  assertEquals(PAYLOAD_LIMIT, 399);
  assertEquals(
    bytes.slice(0, 416).toHex(),
    "01" + "01" + "03" + "01020304" + "05060708" + "090a0b0c" + "0002" +
      "aabb" + "00".repeat(397),
  );
  // Ed25519 is deterministic: this pins label, context and body as what is signed.
  assertEquals(bytes, await signedBody(bytes.slice(0, 416)));
});

Deno.test("S3.4: PeerMessage: everything that can be said comes back, all of one size", async () => {
  const types = Object.values(MessageType);
  assertEquals(types, [0, 1, 2, 3, 4, 5, 6]);
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  await fc.assert(fc.asyncProperty(
    fc.constantFrom(...types),
    fc.nat(3),
    fc.tuple(u32, u32, u32),
    fc.uint8Array({ maxLength: 399 }),
    async (type, flags, [seq, ack, sack], payload) => {
      const message: PeerMessage = {
        type,
        flags: type === MessageType.TEXT ? flags : 0,
        seq: isNumbered(type) ? Math.max(seq, 1) : 0,
        ack,
        sack,
        payload: new Uint8Array(payload),
      };
      const bytes = await signed(message);
      assertEquals(bytes.length, 480);
      assertEquals(await verified(bytes), message);
    },
  ));
});

Deno.test("PeerMessage: payloads at the edges", async () => {
  for (const length of [0, 1, 398, 399]) {
    const payload = new Uint8Array(length).fill(0xff);
    const message = { ...MESSAGE, payload };
    assertEquals(await verified(await signed(message)), message);
  }
  await assertRejects(
    () => signed({ ...MESSAGE, payload: new Uint8Array(400) }),
    RangeError,
    "400 bytes",
  );
});

Deno.test("PeerMessage: numbers and flags must fit the type, both ways", async () => {
  const { TEXT, COVER, RECEIPT, READ, RETRY, HANGUP, RATCHET } = MessageType;
  const bad: readonly Partial<PeerMessage>[] = [
    { type: TEXT, seq: 0 },
    { type: READ, seq: 0, flags: 0 },
    { type: HANGUP, seq: 0, flags: 0 },
    { type: RATCHET, seq: 0, flags: 0 },
    { type: RATCHET, seq: 1, flags: FLAG_MORE },
    { type: COVER, seq: 1, flags: 0 },
    { type: RECEIPT, seq: 1, flags: 0 },
    { type: RETRY, seq: 1, flags: 0 },
    { type: READ, seq: 1, flags: FLAG_MORE },
    { type: COVER, seq: 0, flags: FLAG_CONTINUED },
    { type: TEXT, flags: 4 },
    { type: TEXT, flags: 0x80 },
  ];
  for (const change of bad) {
    const message = { ...MESSAGE, ...change };
    await assertRejects(() => signed(message), RangeError, "Cannot write");
    const body = (await signed(MESSAGE)).slice(0, 416);
    body[1] = message.type;
    body[2] = message.flags;
    new DataView(body.buffer).setUint32(3, message.seq);
    await assertRejects(
      async () => await verified(await signedBody(body)),
      MalformedError,
    );
  }
});

Deno.test("S3.4: PeerMessage: there is one encoding; padding, version, type and length are checked", async () => {
  const body = (await signed(MESSAGE)).slice(0, 416);
  const lies: readonly (readonly [number, number])[] = [
    [0, 0], // version
    [0, 2],
    [1, 7], // type
    [1, 255],
    [15, 0xff], // length beyond the payload
    [19, 1], // padding, first byte
    [200, 0x80],
    [415, 1], // and last
  ];
  for (const [at, value] of lies) {
    const lie = body.slice();
    lie[at] = value;
    await assertRejects(
      async () => await verified(await signedBody(lie)),
      MalformedError,
    );
  }
  // 400 bytes would reach into the signature.
  const long = body.slice();
  new DataView(long.buffer).setUint16(15, 400);
  await assertRejects(
    async () => await verified(await signedBody(long)),
    MalformedError,
    "400 bytes",
  );
});

Deno.test("S3.4: PeerMessage: any bit flipped, cut anywhere, in another context or from another, it is refused", async () => {
  const bytes = await signed(MESSAGE);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    assertEquals(
      await codeOf(() => verified(flipped(bytes, bit))),
      "ERR_PEER_MESSAGE_SIGNATURE",
    );
  }
  for (let bit = 0; bit < CONTEXT.length * 8; bit++) {
    const context = flipped(CONTEXT, bit);
    await assertRejects(
      () => verifyPeerMessage(writer.publicKey, context, bytes),
      PeerMessageError,
    );
  }
  for (let length = 0; length < bytes.length; length++) {
    await assertRejects(
      () => verified(bytes.slice(0, length)),
      MalformedError,
    );
  }
  await assertRejects(
    () => verified(concat(bytes, new Uint8Array(1))),
    MalformedError,
  );
  const other = await generateSigning();
  await assertRejects(
    () => verifyPeerMessage(other.publicKey, CONTEXT, bytes),
    PeerMessageError,
  );
});
