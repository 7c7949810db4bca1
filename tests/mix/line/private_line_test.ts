import { assert, assertEquals } from "@std/assert";
import { codeOf, texts, told, World } from "./world.ts";
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

Deno.test("S3.8: every round that one spends on somebody is told, to the last goodbye and for refusals, too", async () => {
  const [world, alice, bob] = await talking();
  const carol = await world.person("carol");
  [carol.contacts, bob.contacts] = [[bob.certificate], [
    alice.certificate,
    carol.certificate,
  ]];
  alice.line.hangUp(bob.address);
  carol.line.call(bob.certificate);
  await world.pass(12);
  bob.line.refuse(carol.address);
  await world.pass(60);
  for (const person of [alice, bob, carol]) {
    const spent = world.counts.get(person.address)!
      .reduce((sum, each) => sum + each, 0);
    const rounds = person.events.filter(({ kind }) => kind === "round");
    assertEquals(rounds.length, spent);
    assertEquals(person.line.conversations, []);
    assertEquals(person.line.farewells, 0);
  }
  const toldOf = (address: string) =>
    bob.events.filter((event) =>
      event.kind === "round" && event.address === address
    );
  assert(toldOf(alice.address).length > 0);
  assert(toldOf(carol.address).length > 0);
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
