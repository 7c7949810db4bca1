import { assert, assertEquals } from "@std/assert";
import { encapsulate, generateKem } from "../../lib/protocol/crypto/ml_kem.ts";
import { Machine } from "../mailbox/client/machine.ts";
import { mailboxServer } from "../mailbox/raw_mailbox.ts";
import { ReferenceSession } from "../mailbox/reference.ts";
import type { TestServer } from "../support/server.ts";
import { bundle } from "./naive_account.ts";
import { NaiveConnection, need, text } from "./naive_connection.ts";
import type { Command } from "./naive_connection.ts";
import { readCertificate } from "./naive_identity.ts";
import type { NaiveCertificate } from "./naive_identity.ts";
import { NaivePerson } from "./naive_person.ts";
import {
  ascii,
  join,
  random,
  toBig,
  unsigned,
  verify,
  x25519Pair,
} from "./naive_primitives.ts";
import type { Octets } from "./naive_primitives.ts";
import type { NaiveMessage } from "./naive_risp.ts";

/** A person of the text, logged in. */
interface Present {
  readonly person: NaivePerson;
  readonly connection: NaiveConnection;
  ask(...commands: Command[]): Promise<NaiveMessage>;
}

async function present(server: TestServer, address: string): Promise<Present> {
  const person = await NaivePerson.make(address);
  const connection = new NaiveConnection(await server.dial());
  const node = readCertificate("node", server.node.certificate.bytes);
  await connection.shake(node.agreementKey);
  const registered = await person.register(connection, node);
  await person.login(connection, need<Octets>(registered, "USR-KEY"));
  return {
    person,
    connection,
    ask: (...commands) => person.ask(connection, ...commands),
  };
}

/** MOVE-MAILBOX with new prekeys, one of them for one session only (§6.2, §6.3). */
async function moveIn(
  { person, ask }: Present,
  device: Octets,
): Promise<{ bundle: Octets; oneTime: Octets }> {
  const prekeys = bundle(person.keys.signing.secret, person.id, 1_800_000_000, {
    signedId: 1,
    spk: x25519Pair().open,
    kemId: 2,
    pqk: (await generateKem()).publicKey,
  });
  const oneTime = join(unsigned(4, 3), x25519Pair().open);
  const answer = await ask(
    ["ONE-TIME-PREKEYS", oneTime],
    ["PREKEY-BUNDLE", prekeys],
    ["DEVICE-ID", device],
    "MOVE-MAILBOX",
  );
  assertEquals(answer.verb, "PUBLISHED");
  assertEquals(need<number>(answer, "PREKEYS-LEFT"), 1);
  return { bundle: prekeys, oneTime };
}

const post = (address: string, id: Octets, letter: Octets): Command[] => [
  ["LETTER", letter],
  ["PERSON", ascii(address)],
  ["LETTER-ID", id],
  "POST",
];

Deno.test("SPEC.md §6.3: prekeys are handed out as they were published, a one-time prekey once", async () => {
  await using box = await mailboxServer();
  const [alice, bob] = [
    await present(box, "alice@test"),
    await present(box, "bob@test"),
  ];
  const published = await moveIn(bob, random(16));
  const person = ["PERSON", ascii("bob@test")] as const;
  const found = await alice.ask(person, "FIND-PERSON");
  assertEquals(found.verb, "FOUND");
  assertEquals(need<Octets>(found, "CERTIFICATE"), bob.person.certificate);
  for (const oneTime of [[published.oneTime], undefined]) {
    const answer = await alice.ask(person, "FETCH-PREKEYS");
    assertEquals(answer.verb, "PREKEYS");
    assertEquals(need<Octets>(answer, "CERTIFICATE"), bob.person.certificate);
    assertEquals(need<Octets>(answer, "PREKEY-BUNDLE"), published.bundle);
    assertEquals(answer.values.get("ONE-TIME-PREKEYS"), oneTime);
  }
  const nobody = await alice.ask(
    ["PERSON", ascii("nobody@test")],
    "FIND-PERSON",
  );
  assertEquals([nobody.verb, text(nobody, "REASON")], [
    "DENIED",
    "unknown-person",
  ]);
  await alice.connection.close();
  await bob.connection.close();
});

Deno.test("SPEC.md §6.3: a letter is stored once, pushed to who opens the mailbox, and gone when acknowledged", async () => {
  await using box = await mailboxServer();
  const [alice, bob] = [
    await present(box, "alice@test"),
    await present(box, "bob@test"),
  ];
  const device = random(16);
  await moveIn(bob, device);
  const [letter, id] = [random(546), random(16)];
  for (let again = 0; again < 2; again++) {
    const stored = await alice.ask(...post("bob@test", id, letter));
    assertEquals(stored.verb, "STORED");
    assertEquals(need<Octets>(stored, "LETTER-ID"), id);
  }
  const opened = await bob.ask(["DEVICE-ID", device], "OPEN-MAILBOX");
  assertEquals(opened.verb, "OPENED");
  assertEquals(need<number>(opened, "WAITING"), 1);
  assertEquals(need<number>(opened, "RETENTION"), 30 * 86_400);
  const { counter, messages } = await bob.connection.push();
  assertEquals([counter, messages.length], [0n, 1]);
  const [delivered] = messages;
  assertEquals(delivered!.verb, "DELIVER");
  assertEquals(text(delivered!, "PERSON"), "alice@test");
  assertEquals(need<Octets>(delivered!, "LETTER"), letter);
  assertEquals(need<Octets>(delivered!, "LETTER-ID"), id);
  assertEquals(need<bigint>(delivered!, "SEQUENCE"), 1n);

  // KO brings the same push again, OK ends it.
  await bob.connection.send([["COUNTER", counter], "KO"]);
  assertEquals((await bob.connection.push()).counter, counter);
  await bob.connection.send([["COUNTER", counter], "OK"]);
  const done = await bob.ask(["SEQUENCES", unsigned(8, 1)], "ACKNOWLEDGE");
  assertEquals(done.verb, "DONE");
  assertEquals((await box.store.letters.usage("bob@test")).letters, 0);
  await alice.ask(...post("bob@test", id, letter));
  assertEquals((await box.store.letters.usage("bob@test")).letters, 0);
  await alice.connection.close();
  await bob.connection.close();
});

Deno.test("SPEC.md §6.3: another device takes the mailbox over, the one before is told and refused", async () => {
  await using box = await mailboxServer();
  const bob = await present(box, "bob@test");
  const [old, fresh] = [random(16), random(16)];
  await moveIn(bob, old);
  await bob.ask(["DEVICE-ID", old], "OPEN-MAILBOX");

  const elsewhere = new NaiveConnection(await box.dial());
  await elsewhere.shake(box.node.certificate.dhKey);
  const node = readCertificate("node", box.node.certificate.bytes);
  const again = await bob.person.register(elsewhere, node);
  await bob.person.login(elsewhere, need<Octets>(again, "USR-KEY"));
  const there: Present = {
    person: bob.person,
    connection: elsewhere,
    ask: (...commands) => bob.person.ask(elsewhere, ...commands),
  };
  await moveIn(there, fresh);
  const { messages } = await bob.connection.push();
  assertEquals(messages.map(({ verb }) => verb), ["MOVED"]);
  const refused = await bob.ask(["DEVICE-ID", old], "OPEN-MAILBOX");
  assertEquals([refused.verb, text(refused, "REASON")], ["DENIED", "moved"]);
  await elsewhere.close();
  await bob.connection.close();
});

/** What PREKEYS holds, taken apart and checked as §6.2 says. */
function prekeysOf(answer: NaiveMessage, owner: NaiveCertificate) {
  const bytes = need<Octets>(answer, "PREKEY-BUNDLE");
  const body = bytes.slice(0, 1_265);
  const signed = join(ascii("sotto prekey bundle v1\0"), body);
  assert(verify(owner.signingKey, bytes.slice(1_265), signed));
  assertEquals(body.slice(1, 33), owner.id);
  const oneTime = need<Octets>(answer, "ONE-TIME-PREKEYS");
  assertEquals(oneTime.length, 36);
  return {
    signedId: Number(toBig(body.slice(41, 45))),
    signedKey: body.slice(45, 77),
    kemId: Number(toBig(body.slice(77, 81))),
    kemKey: body.slice(81),
    oneTimeId: Number(toBig(oneTime.slice(0, 4))),
    oneTimeKey: oneTime.slice(4),
  };
}

Deno.test("S3.4 S0.6: somebody of the text writes to a client of ours, has a receipt, and reads the answer", async () => {
  await using box = await mailboxServer();
  await using bob = await Machine.enrol(box, "bob@test");
  await bob.connect();
  const alice = await present(box, "alice@test");
  const device = random(16);
  await moveIn(alice, device);
  await alice.ask(["DEVICE-ID", device], "OPEN-MAILBOX");

  const answer = await alice.ask(
    ["PERSON", ascii("bob@test")],
    "FETCH-PREKEYS",
  );
  const peer = readCertificate("account", need(answer, "CERTIFICATE"));
  const prekeys = prekeysOf(answer, peer);
  const { signing, agreement } = alice.person.keys;
  const session = ReferenceSession.start(
    { id: alice.person.id, signing: signing.secret, dh: agreement.secret },
    { id: peer.id, signingKey: peer.signingKey, dhKey: peer.agreementKey },
    prekeys,
    await encapsulate(prekeys.kemKey),
    () => random(32),
  );
  const words = "Grüße ".repeat(60);
  const whole = join(random(8), unsigned(8, 1_800_000_000_000), ascii(words));
  const pieces = [whole.slice(0, 399), whole.slice(399)];
  for (const [i, payload] of pieces.entries()) {
    const letter = session.seal({
      type: 1,
      flags: i === 0 ? 1 : 2,
      seq: i + 1,
      ack: 0,
      sack: 0,
      payload,
    });
    assertEquals(letter.length, 1_710);
    const stored = await alice.ask(
      ...post("bob@test", random(16), new Uint8Array(letter)),
    );
    assertEquals(stored.verb, "STORED");
  }
  assertEquals(await bob.texts(1), [words]);

  const read = async () => {
    const { counter, messages } = await alice.connection.push();
    await alice.connection.send([["COUNTER", counter], "OK"]);
    return messages.map((each) => session.open(need<Octets>(each, "LETTER")));
  };
  let acknowledged = 0;
  while (acknowledged < 2) {
    for (const { type, seq, ack } of await read()) {
      assertEquals([type, seq], [2, 0]);
      acknowledged = Math.max(acknowledged, ack);
    }
  }
  await bob.mailbox.send("alice@test", "Grüße zurück");
  const [reply] = await read();
  assertEquals([reply!.type, reply!.flags, reply!.seq], [1, 0, 1]);
  const written = new TextDecoder().decode(reply!.payload.slice(16));
  assertEquals(written, "Grüße zurück");
  await alice.connection.close();
});
