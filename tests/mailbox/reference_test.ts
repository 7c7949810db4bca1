import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Bytes } from "../../lib/protocol/mod.ts";
import {
  concat,
  decapsulate,
  encapsulate,
  exportDh,
  exportSigning,
  importDh,
  importKem,
  importSigning,
  randomBytes,
} from "../../lib/protocol/mod.ts";
import type { KeySource } from "../../lib/mailbox/key_source.ts";
import { parseLetter } from "../../lib/mailbox/letter.ts";
import type { OwnParty } from "../../lib/mailbox/party.ts";
import type { PeerMessage } from "../../lib/peer/mod.ts";
import { parseInitialBlock } from "../../lib/mailbox/pqxdh.ts";
import { openLetter, sealMessage } from "../../lib/mailbox/session.ts";
import {
  acceptSession,
  startSession,
} from "../../lib/mailbox/session_start.ts";
import type { Session } from "../../lib/mailbox/session_state.ts";
import { NOW, person, say, start } from "./people.ts";
import type { Person } from "./people.ts";
import type { ReferenceKeys } from "./reference.ts";
import { publicOf, ReferenceSession, signingPublicOf } from "./reference.ts";
import golden from "./golden_transcript.json" with { type: "json" };

Deno.test("S3.4: a second implementation, written from the text, accepts our sessions and converses", async () => {
  let letters = 0;
  await fc.assert(
    fc.asyncProperty(order(), async (schedule) => {
      const [alice, bob] = await Promise.all([person(), person()]);
      const session = await start(alice, bob);
      const first = await sealMessage(session, alice.own, say("first"));
      const block = parseLetter(first.letter).block!;
      const { kemCiphertext } = parseInitialBlock(block);
      const { kemSeed, dhPrivate } = bob.prekeys.signed[0]!;
      const { privateKey } = await importKem(kemSeed);
      const reference = ReferenceSession.accept(
        await referenceKeys(bob.own),
        alice.own.certificate,
        dhPrivate,
        bob.prekeys.oneTime[0]!.dhPrivate,
        await decapsulate(privateKey, kemCiphertext),
        block,
        () => randomBytes(32),
      );
      assertEquals(reference.open(first.letter).payload, say("first").payload);
      letters += await converse(first.session, alice, bob, reference, schedule);
    }),
    { numRuns: 8 },
  );
  assert(letters > 100, `${letters} letters`);
});

Deno.test("S3.4: a second implementation, written from the text, opens sessions that we accept", async () => {
  let letters = 0;
  await fc.assert(
    fc.asyncProperty(order(), fc.boolean(), async (schedule, oneTimeToo) => {
      const [alice, bob] = await Promise.all([person(), person()]);
      const signed = bob.prekeys.signed[0]!;
      const oneTime = oneTimeToo ? bob.prekeys.oneTime[0]! : null;
      const reference = ReferenceSession.start(
        await referenceKeys(alice.own),
        bob.own.certificate,
        {
          signedId: signed.signedId,
          signedKey: signed.dhPublic,
          kemId: signed.kemId,
          oneTimeId: oneTime?.id ?? 0,
          oneTimeKey: oneTime?.dhPublic ?? null,
        },
        await encapsulate((await importKem(signed.kemSeed)).publicKey),
        () => randomBytes(32),
      );
      const opened = await acceptSession(
        bob.own,
        alice.own.certificate,
        bob.prekeys,
        new Uint8Array(reference.seal({ ...NOTHING, type: 1, seq: 1 })),
      );
      assertEquals(opened.message, { ...NOTHING, type: 1, seq: 1 });
      assertEquals(opened.oneTimeId, oneTime?.id ?? 0);
      letters += await converse(
        opened.session,
        bob,
        alice,
        reference,
        schedule,
      );
    }),
    { numRuns: 8 },
  );
  assert(letters > 100, `${letters} letters`);
});

Deno.test("S3.4: golden transcript: fixed keys give fixed letters, byte for byte, in both implementations", async () => {
  const key = (name: keyof typeof golden.keys): Bytes =>
    Uint8Array.fromHex(golden.keys[name]);
  const alice = await goldenParty("aliceId", "aliceSigning", "aliceDh");
  const bob = await goldenParty("bobId", "bobSigning", "bobDh");
  const kem = await importKem(key("bobKemSeed"));
  const ciphertext = Uint8Array.fromBase64(golden.kemCiphertext);
  const secret = await decapsulate(kem.privateKey, ciphertext);
  const prekeys = {
    nextId: 10,
    signed: [{
      signedId: 5,
      kemId: 6,
      createdAt: NOW,
      dhPrivate: key("bobSignedPrekey"),
      dhPublic: publicOf(key("bobSignedPrekey")) as Bytes,
      kemSeed: key("bobKemSeed"),
    }],
    oneTime: [{
      id: 9,
      dhPrivate: key("bobOneTimePrekey"),
      dhPublic: publicOf(key("bobOneTimePrekey")) as Bytes,
    }],
  };
  const source = (names: (keyof typeof golden.keys)[]): KeySource => {
    const left = names.map(key);
    return {
      dh: () => importDh(left.shift()!, true),
      encapsulate: () => Promise.resolve({ secret, ciphertext }),
    };
  };
  const aliceKeys = source([
    "aliceEphemeral",
    "aliceRatchet1",
    "aliceRatchet2",
    "aliceRatchet3",
  ]);
  const bobKeys = source(["bobRatchet1", "bobRatchet2", "bobRatchet3"]);

  // Ours.
  const ours: Bytes[] = [];
  let atAlice = await startSession(
    alice,
    bob.certificate,
    {
      certificateId: bob.certificate.id,
      createdAt: NOW,
      signedId: 5,
      signedKey: prekeys.signed[0]!.dhPublic,
      kemId: 6,
      kemKey: kem.publicKey,
    },
    { id: 9, publicKey: prekeys.oneTime[0]!.dhPublic },
    aliceKeys,
  );
  let atBob: Session | null = null;
  for (const { from, text } of golden.letters) {
    const [session, own, keys] = from === "alice"
      ? [atAlice, alice, aliceKeys] as const
      : [atBob!, bob, bobKeys] as const;
    const sealed = await sealMessage(session, own, say(text), keys);
    ours.push(sealed.letter);
    if (from === "bob") {
      atBob = sealed.session;
      ({ session: atAlice } = await openLetter(
        atAlice,
        alice,
        bob.certificate,
        sealed.letter,
      ));
    } else {
      atAlice = sealed.session;
      ({ session: atBob } = atBob === null
        ? await acceptSession(bob, alice.certificate, prekeys, sealed.letter)
        : await openLetter(atBob, bob, alice.certificate, sealed.letter));
    }
  }

  // The other implementation's.
  const drawer = (names: (keyof typeof golden.keys)[]) => {
    const left = names.map(key);
    return () => left.shift()!;
  };
  const theirs: Uint8Array[] = [];
  const referenceAlice = ReferenceSession.start(
    await referenceKeys(alice),
    bob.certificate,
    {
      signedId: 5,
      signedKey: prekeys.signed[0]!.dhPublic,
      kemId: 6,
      oneTimeId: 9,
      oneTimeKey: prekeys.oneTime[0]!.dhPublic,
    },
    { secret, ciphertext },
    drawer([
      "aliceEphemeral",
      "aliceRatchet1",
      "aliceRatchet2",
      "aliceRatchet3",
    ]),
  );
  let referenceBob: ReferenceSession | null = null;
  for (const [i, { from, text, seq, ack }] of golden.letters.entries()) {
    const message = {
      type: 1,
      flags: 0,
      seq,
      ack,
      sack: 0,
      payload: new TextEncoder().encode(text),
    };
    if (from === "alice") {
      const letter = referenceAlice.seal(message);
      referenceBob ??= ReferenceSession.accept(
        await referenceKeys(bob),
        alice.certificate,
        key("bobSignedPrekey"),
        key("bobOneTimePrekey"),
        secret,
        letter.subarray(50, 1214),
        drawer(["bobRatchet1", "bobRatchet2", "bobRatchet3"]),
      );
      assertEquals(referenceBob.open(letter), message, `letter ${i}`);
      theirs.push(letter);
    } else {
      const letter = referenceBob!.seal(message);
      assertEquals(referenceAlice.open(letter), message, `letter ${i}`);
      theirs.push(letter);
    }
  }

  assertEquals(ours.length, 6);
  for (const [i, { letter }] of golden.letters.entries()) {
    assertEquals(ours[i]!.toBase64(), letter, `our letter ${i}`);
    assertEquals(
      new Uint8Array(theirs[i]!).toBase64(),
      letter,
      `their letter ${i}`,
    );
  }

  async function goldenParty(
    id: keyof typeof golden.keys,
    signing: keyof typeof golden.keys,
    dh: keyof typeof golden.keys,
  ): Promise<OwnParty> {
    const signingKey = signingPublicOf(key(signing)) as Bytes;
    const pair = await importDh(key(dh), true);
    return {
      certificate: { id: key(id), signingKey, dhKey: pair.publicKey },
      signing: await importSigning(key(signing), signingKey, true),
      dh: pair,
    };
  }
});

const NOTHING = {
  type: 0,
  flags: 0,
  seq: 0,
  ack: 0,
  sack: 0,
  payload: new Uint8Array(0),
} satisfies PeerMessage;

/** Who does what: true means ours; `send` writes, otherwise one letter in flight is read. */
function order(): fc.Arbitrary<
  { ours: boolean; send: boolean; pick: number }[]
> {
  return fc.array(
    fc.record({ ours: fc.boolean(), send: fc.boolean(), pick: fc.nat(1000) }),
    { minLength: 40, maxLength: 60 },
  );
}

/** Runs a schedule between our session and the other implementation; all must open, in any order. */
async function converse(
  session: Session,
  own: Person,
  peer: Person,
  reference: ReferenceSession,
  schedule: readonly { ours: boolean; send: boolean; pick: number }[],
): Promise<number> {
  const toThem: { letter: Bytes; payload: Bytes }[] = [];
  const toUs: { letter: Bytes; payload: Bytes }[] = [];
  let opened = 0;
  let seq = 1;
  for (const { ours, send, pick } of schedule) {
    const payload = randomBytes(pick % 400);
    if (send && ours) {
      const outgoing = { type: 1, flags: 0, payload } as const;
      const sealed = await sealMessage(session, own.own, outgoing);
      session = sealed.session;
      toThem.push({ letter: sealed.letter, payload });
    } else if (send) {
      const letter = reference.seal({
        ...NOTHING,
        type: 1,
        seq: ++seq,
        payload,
      });
      toUs.push({ letter: concat(letter), payload });
    } else if (ours && toUs.length > 0) {
      const { letter, payload } = toUs.splice(pick % toUs.length, 1)[0]!;
      const result = await openLetter(
        session,
        own.own,
        peer.own.certificate,
        letter,
      );
      assertEquals(result.message.payload, payload);
      session = result.session;
      opened++;
    } else if (toThem.length > 0) {
      const { letter, payload } = toThem.splice(pick % toThem.length, 1)[0]!;
      assertEquals(reference.open(letter).payload, payload);
      opened++;
    }
  }
  return opened;
}

async function referenceKeys(own: OwnParty): Promise<ReferenceKeys> {
  return {
    id: own.certificate.id,
    signing: await exportSigning(own.signing),
    dh: await exportDh(own.dh),
  };
}
