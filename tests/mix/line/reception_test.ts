import { assertEquals } from "@std/assert";
import { assembleKeyring } from "../../../lib/identity/mod.ts";
import { TEST_TIME, testKeyPairs } from "../../support/keyrings.ts";
import { codeOf, told, World } from "./world.ts";
import type { Person } from "./world.ts";

for (const reason of ["refused", "busy"] as const) {
  Deno.test(`S3.8: a caller is told: ${reason}`, async () => {
    const world = new World();
    const [alice, bob, ...others] = await world
      .friends("alice", "bob", "carol", "dave", "erin") as [
        Person,
        Person,
        ...Person[],
      ];
    if (reason === "busy") {
      for (const other of others) bob.line.call(other.certificate);
      assertEquals(bob.line.conversations.length, 3);
      assertEquals(
        codeOf(() => bob.line.call(alice.certificate)),
        "ERR_LINE_BUSY",
      );
    }
    alice.line.call(bob.certificate);
    await world.pass(4);
    if (reason === "refused") bob.line.refuse(alice.address);
    else {assertEquals(bob.events.find(({ kind }) => kind === "missed"), {
        kind: "missed",
        call: { address: alice.address, dialedAt: 1_800_000_000_000 },
        busy: true,
      });}
    await world.pass(120);
    assertEquals(told(alice), ["dialed", "refused"]);
    assertEquals(alice.events.find(({ kind }) => kind === "refused"), {
      kind: "refused",
      address: bob.address,
      reason,
    });
    assertEquals(alice.line.conversations, []);
    assertEquals(told(bob).includes("answered"), false);
    assertEquals(
      codeOf(() => bob.line.accept(alice.address)),
      "ERR_LINE_NOBODY",
    );
    assertEquals(
      codeOf(() => bob.line.refuse(alice.address)),
      "ERR_LINE_NOBODY",
    );
    assertEquals(
      codeOf(() => alice.line.hangUp(bob.address)),
      "ERR_LINE_NOBODY",
    );
  });
}

Deno.test("S3.8: whoever does not answer is called again every minute for ten, rings once, and has missed it", async () => {
  const world = new World();
  const [alice, bob] = await world.friends("alice", "bob") as [Person, Person];
  alice.line.call(bob.certificate);
  await world.pass(1_300);
  const dialed = alice.events.filter((event) => event.kind === "dialed")
    .map(({ round }) => round - 1_800_000_000_000);
  assertEquals(dialed, Array.from({ length: 10 }, (_, i) => i * 60_000));
  assertEquals(told(alice).at(-1), "unanswered");
  assertEquals(told(bob), ["ringing", "missed"]);
  assertEquals(codeOf(() => bob.line.accept(alice.address)), "ERR_LINE_NOBODY");
});

Deno.test("S3.8: who was away finds one missed call, or one that still rings", async () => {
  const world = new World();
  const [alice, bob] = await world.friends("alice", "bob") as [Person, Person];
  bob.online = false;
  alice.line.call(bob.certificate);
  await world.pass(3_600);
  assertEquals(told(alice).at(-1), "unanswered");
  bob.online = true;
  await world.pass(20);
  assertEquals(told(bob), ["missed"]);

  bob.online = false;
  alice.line.call(bob.certificate);
  await world.pass(300);
  bob.online = true;
  await world.pass(10);
  assertEquals(told(bob), ["missed", "ringing"]);
  bob.line.accept(alice.address);
  await world.pass(70);
  assertEquals(bob.line.conversations[0]?.stage, "talking");
  assertEquals(alice.line.conversations[0]?.stage, "talking");
});

Deno.test("S3.8: accepted at whatever moment, while calls go on, the two meet", async () => {
  for (let wait = 2; wait <= 130; wait += 8) {
    const world = new World();
    const [alice, bob] = await world.friends("alice", "bob") as [
      Person,
      Person,
    ];
    alice.line.call(bob.certificate);
    await world.pass(wait);
    bob.line.accept(alice.address);
    await world.pass(20);
    for (const { line } of [alice, bob]) {
      assertEquals(line.conversations.map(({ stage }) => stage), ["talking"]);
      assertEquals(line.ringing, []);
    }
  }
});

Deno.test("S3.8: two who call each other at once, or one shortly after the other, are connected", async () => {
  for (
    const [first, apart] of [[0, 0], [1, 0], [0, 2], [1, 2], [0, 8], [1, 8]]
  ) {
    const world = new World();
    const people = await world.friends("alice", "bob") as [Person, Person];
    const [a, b] = first === 0 ? people : [people[1], people[0]];
    a.line.call(b.certificate);
    await world.pass(apart!);
    b.line.call(a.certificate);
    await world.pass(40);
    for (const person of people) {
      assertEquals(
        person.line.conversations.map(({ stage }) => stage),
        ["talking"],
      );
      assertEquals(told(person).includes("missed"), false);
    }
  }
});

Deno.test("S3.8: a person who is not a contact cannot call; nobody calls oneself", async () => {
  const world = new World();
  const [alice, bob] = await world.friends("alice", "bob") as [Person, Person];
  bob.contacts = [bob.certificate];
  alice.line.call(bob.certificate);
  assertEquals(
    codeOf(() => alice.line.call(bob.certificate)),
    "ERR_LINE_TAKEN",
  );
  assertEquals(
    codeOf(() => alice.line.call(alice.certificate)),
    "ERR_LINE_TAKEN",
  );
  await world.pass(30);
  assertEquals(bob.events, []);
  assertEquals(bob.line.ringing, []);
});

Deno.test("S3.8: contacts whose certificates hold no key neither call nor are reached, and do nobody harm", async () => {
  const world = new World();
  const [alice, bob] = await world.friends("alice", "bob") as [Person, Person];
  const pairs = await testKeyPairs();
  const nobody = await assembleKeyring("mallory@example.org", TEST_TIME, {
    ...pairs,
    dh: { ...pairs.dh, publicKey: new Uint8Array(32) },
  });
  bob.contacts = [nobody.certificate, alice.certificate];
  bob.line.call(nobody.certificate);
  alice.line.call(bob.certificate);
  await world.pass(20);
  assertEquals(told(bob), ["unanswered", "ringing"]);
});

Deno.test("S3.8: a refusal is left with until the caller knows, or thirty rounds", async () => {
  for (const isThere of [true, false]) {
    const world = new World();
    const [alice, bob] = await world.friends("alice", "bob") as [
      Person,
      Person,
    ];
    alice.line.call(bob.certificate);
    await world.pass(10);
    alice.online = isThere;
    bob.line.refuse(alice.address);
    await world.pass(4);
    if (isThere) assertEquals(told(alice).at(-1), "refused");
    else await world.pass(50);
    assertEquals(bob.line.farewells, isThere ? 0 : 1);
    await world.pass(10);
    assertEquals(bob.line.farewells, 0);
  }
});
