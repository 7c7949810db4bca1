import { assert, assertEquals, assertThrows } from "@std/assert";
import { assembleKeyring } from "../../../lib/identity/mod.ts";
import { LineError } from "../../../lib/mix/line/line_error.ts";
import { TEST_TIME, testKeyPairs } from "../../support/keyrings.ts";
import { texts, told, World } from "./world.ts";
import type { Person } from "./world.ts";

/** Alice has called Bob and they talk. */
async function talking(): Promise<[World, Person, Person]> {
  const world = new World();
  const [alice, bob] = await world.friends("alice", "bob") as [Person, Person];
  alice.line.call(bob.certificate);
  await world.pass(10);
  bob.line.accept(alice.address);
  await world.pass(10);
  return [world, alice, bob];
}

function codeOf(action: () => void): string {
  return assertThrows(action, LineError).code;
}

Deno.test("S3.8: a call rings, is accepted, and both talk until one hangs up", async () => {
  const world = new World();
  const [alice, bob] = await world.friends("alice", "bob") as [Person, Person];
  alice.line.call(bob.certificate);
  assertEquals(alice.line.conversations[0]?.stage, "calling");
  assertEquals(
    codeOf(() => alice.line.say(bob.address, "x")),
    "ERR_LINE_NOBODY",
  );
  const dialedAt = world.now;
  await world.pass(2);
  const call = { address: alice.address, dialedAt };
  assertEquals(bob.events, [{ kind: "ringing", call }]);
  assertEquals(bob.line.ringing, [call]);
  assertEquals(alice.events[0], {
    kind: "dialed",
    address: bob.address,
    round: dialedAt,
  });
  bob.line.accept(alice.address);
  assertEquals(bob.line.ringing, []);
  await world.pass(10);
  const id = alice.line.say(bob.address, "hello");
  bob.line.say(alice.address, "hi");
  await world.pass(20);
  assertEquals(texts(bob), [["alice", "hello"]]);
  assertEquals(texts(alice), [["bob", "hi"]]);
  assertEquals(
    alice.line.conversations.map((
      { stage, generation, undelivered },
    ) => [stage, generation, undelivered]),
    [["talking", 2, 0]],
  );
  const states = alice.events.filter((event) => event.kind === "state");
  assert(states.every((event) => event.id === id));
  assertEquals(states.at(-1)?.state, "delivered");
  bob.line.hangUp(alice.address);
  assertEquals([alice.line.farewells, bob.line.farewells], [0, 0]);
  await world.pass(4);
  // Both are done, and Alice waits until Bob is away: he might not know that she knows.
  assertEquals(alice.line.conversations, []);
  assertEquals(bob.line.conversations, []);
  assertEquals([alice.line.farewells, bob.line.farewells], [1, 0]);
  await world.pass(6);
  assertEquals(alice.line.farewells, 0);
  await world.pass(20);
  for (
    const [person, other, reason] of [
      [alice, bob, "left by peer"],
      [bob, alice, "left"],
    ] as const
  ) {
    assertEquals(told(person).filter((kind) => kind === "answered").length, 1);
    assertEquals(person.events.filter(({ kind }) => kind === "ended"), [
      { kind: "ended", address: other.address, reason, undelivered: 0 },
    ]);
    assertEquals(person.line.conversations, []);
    assertEquals(world.counts.get(person.address)?.at(-1), 0);
  }
  // They can talk again.
  bob.line.call(alice.certificate);
  await world.pass(12);
  alice.line.accept(bob.address);
  await world.pass(10);
  assertEquals(bob.line.conversations[0]?.stage, "talking");
});

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

Deno.test("S3.8: a token that no round took is dialed in the next", async () => {
  const world = new World();
  const [alice, bob] = await world.friends("alice", "bob") as [Person, Person];
  alice.dialLoss = "late";
  alice.line.call(bob.certificate);
  await world.pass(20);
  assertEquals(told(alice), []);
  alice.dialLoss = undefined;
  await world.pass(10);
  assertEquals(told(alice), ["dialed"]);
  assertEquals(told(bob), ["ringing"]);
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

Deno.test("S3.8: whoever gave up is not waited for: two minutes", async () => {
  const world = new World();
  const [alice, bob] = await world.friends("alice", "bob") as [Person, Person];
  alice.line.call(bob.certificate);
  await world.pass(10);
  alice.line.hangUp(bob.address);
  bob.line.accept(alice.address);
  await world.pass(130);
  assertEquals(told(alice), ["dialed", "ended"]);
  assertEquals(bob.events.at(-1), {
    kind: "ended",
    address: alice.address,
    reason: "nobody there",
    undelivered: 0,
  });
});

Deno.test("S3.8: who lost everything calls anew, and takes the place of what was", async () => {
  const [world, alice, bob] = await talking();
  bob.line.say(alice.address, "never read");
  // Alice's process dies; she comes back with nothing but her keys.
  alice.online = false;
  await world.pass(4);
  const again = await world.person("alice");
  again.contacts = [bob.certificate];
  again.line.call(bob.certificate);
  await world.pass(20);
  assert(told(bob).includes("ringing"));
  bob.line.accept(alice.address);
  await world.pass(20);
  assertEquals(bob.events.find(({ kind }) => kind === "ended"), {
    kind: "ended",
    address: alice.address,
    reason: "called anew",
    undelivered: 1,
  });
  again.line.say(bob.address, "here I am");
  await world.pass(20);
  assertEquals(texts(bob), [["alice", "here I am"]]);
});

Deno.test("S3.8: three people talk in pairs; nobody hears what is not for them", async () => {
  const world = new World();
  const people = await world.friends("alice", "bob", "carol") as [
    Person,
    Person,
    Person,
  ];
  const [alice, bob, carol] = people;
  alice.line.call(bob.certificate);
  bob.line.call(carol.certificate);
  carol.line.call(alice.certificate);
  await world.pass(10);
  for (const { line } of people) line.accept(line.ringing[0]!.address);
  await world.pass(20);
  for (const one of people) {
    for (const other of people) {
      if (one !== other) one.line.say(other.address, `for ${other.address}`);
    }
  }
  await world.pass(40);
  for (const one of people) {
    const heard = texts(one);
    assertEquals(heard.length, 2);
    assert(heard.every(([, text]) => text === `for ${one.address}`));
    // However much is said, a conversation takes one payload a round.
    assertEquals(world.counts.get(one.address)?.at(-1), 2);
  }
});

Deno.test("S3.8: idle and busy, a conversation gives one payload of one length in every round", async () => {
  const [world, alice, bob] = await talking();
  world.counts.clear();
  await world.pass(60);
  const idle = world.counts.get(alice.address);
  world.counts.clear();
  for (let i = 0; i < 5; i++) {
    alice.line.say(bob.address, "x".repeat(5_000));
  }
  await world.pass(60);
  assertEquals(world.counts.get(alice.address), idle);
  assertEquals(idle, Array(30).fill(1));
});

Deno.test("S3.8: with more to say than slots, each has its turn and no round takes more", async () => {
  const world = new World();
  const [alice, ...others] = await world
    .friends("alice", "bob", "carol", "dave", "erin") as [Person, ...Person[]];
  for (const other of others.slice(0, 3)) other.line.call(alice.certificate);
  await world.pass(10);
  for (const { address } of alice.line.ringing) alice.line.accept(address);
  await world.pass(10);
  // A fourth is told that there is no room, which takes a fourth place in some rounds.
  others[3]!.line.call(alice.certificate);
  await world.pass(30);
  assertEquals(told(others[3]!), ["dialed", "refused"]);
  for (const { address } of others.slice(0, 3)) {
    alice.line.say(address, address);
  }
  await world.pass(30);
  for (const other of others.slice(0, 3)) {
    assertEquals(texts(other), [["alice", other.address]]);
  }
  assertEquals(Math.max(...world.counts.get(alice.address)!), 3);
});

Deno.test("S3.8: two called at the same time are dialed in turn", async () => {
  const world = new World();
  const [alice, bob, carol] = await world
    .friends("alice", "bob", "carol") as [Person, Person, Person];
  alice.line.call(bob.certificate);
  alice.line.call(carol.certificate);
  await world.pass(130);
  const dialed = alice.events.filter((event) => event.kind === "dialed")
    .map(({ address, round }) => [address, (round - 1_800_000_000_000) / 1000]);
  assertEquals(dialed, [
    [bob.address, 0],
    [carol.address, 10],
    [bob.address, 60],
    [carol.address, 70],
    [bob.address, 120],
  ]);
});
