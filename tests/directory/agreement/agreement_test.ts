import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Candidate } from "../../../lib/directory/agreement/output.ts";
import type { AgreementMessage } from "../../../lib/directory/agreement/message.ts";
import { compareBytes } from "../../../lib/directory/byte_order.ts";
import { NO_CONSENSUS } from "../../../lib/directory/consensus_header.ts";
import { FLAG_EXIT, FLAG_GUARD } from "../../../lib/directory/mod.ts";
import { relay, relays } from "../relays.ts";
import { VirtualNetwork } from "./virtual_network.ts";

async function candidates(count: number): Promise<Candidate[]> {
  const entries = await relays(count);
  return entries.map(({ descriptor }) => ({ descriptor, guard: true }));
}

const SOME = await candidates(4);

/** Whatever happened: one chain, and nobody has signed two bodies of a height. */
function assertOneChain(network: VirtualNetwork): void {
  const byHeight = new Map<number, Set<string>>();
  for (const { signed } of network.places) {
    for (const [height, hashes] of signed) {
      assertEquals(hashes.size, 1, `two bodies signed at ${height}`);
      const all = byHeight.get(height) ?? new Set();
      byHeight.set(height, new Set([...all, ...hashes]));
    }
  }
  for (const [height, hashes] of byHeight) {
    assertEquals(hashes.size, 1, `the controllers signed two at ${height}`);
  }
}

Deno.test("one controller makes a consensus at once, and the next when relays change or time has passed", async () => {
  const network = await VirtualNetwork.of({ count: 1 });
  network.show(SOME.slice(0, 1));
  await network.run(100);
  assertEquals(network.heights, [1]);
  network.show(SOME.slice(1));
  await network.run(100);
  assertEquals(network.heights, [2]);
  const [{ head }] = network.places as [typeof network.places[0]];
  assertEquals(head!.relays.length, 4);
  assertEquals(head!.relays[0]!.flags, FLAG_GUARD | FLAG_EXIT);
  assertEquals(network.caught, []);
});

for (const count of [2, 3, 5, 16]) {
  Deno.test(`S4.1: ${count} controllers agree on one consensus at every interval`, async () => {
    const network = await VirtualNetwork.of({ count, interval: 60 });
    network.show(SOME);
    await network.until(() => network.heights.every((h) => h === 1), 20_000);
    await network.until(() => network.heights.every((h) => h === 3), 200_000);
    const hashes = network.places.map(({ head }) => head!.hash.toHex());
    assertEquals(new Set(hashes).size, 1);
    assertEquals(network.places[0]!.head!.relays.length, 4);
    assert(network.places[0]!.head!.signers.length > count / 2);
    assertEquals(network.caught, []);
    assertOneChain(network);
  });
}

Deno.test("only what more than half of the votes hold to be running is listed, in its newest form", async () => {
  const network = await VirtualNetwork.of({ count: 3 });
  const [one, two, three, four] = SOME;
  network.show([one!, two!]);
  network.show([three!], [0]);
  network.show([four!], [1, 2]);
  await network.until(() => network.heights.every((h) => h === 1), 20_000);
  const listed = network.places[0]!.head!.relays.map(({ descriptor }) =>
    descriptor.digest.toHex()
  );
  const expected = [one!, two!, four!].map((c) => c.descriptor.digest.toHex());
  assertEquals(new Set(listed), new Set(expected));
});

Deno.test("controllers that are away do not stop a quorum, and go on from the head when they are back", async () => {
  const network = await VirtualNetwork.of({ count: 5, interval: 10 });
  network.show(SOME);
  network.kill(0);
  network.kill(3);
  const up = () => [1, 2, 4].map((i) => network.heights[i]!);
  await network.until(() => up().every((h) => h >= 3), 100_000);
  await network.start(0);
  await network.start(3);
  await network.until(() => new Set(network.heights).size === 1, 100_000);
  assertOneChain(network);
});

Deno.test("without a quorum nothing is signed, and nothing is broken when it is there again", async () => {
  const network = await VirtualNetwork.of({ count: 3, interval: 10 });
  network.show(SOME);
  await network.until(() => network.heights.every((h) => h >= 1), 20_000);
  network.kill(0);
  network.kill(1);
  const before = network.heights[2]!;
  await network.run(60_000);
  assertEquals(network.heights[2], before);
  await network.start(1);
  await network.until(() => network.heights[2]! > before + 1, 60_000);
  assertOneChain(network);
});

Deno.test("clocks that differ by seconds do no harm; one that is a day ahead only does not lead", async () => {
  const network = await VirtualNetwork.of({
    count: 4,
    interval: 30,
    skews: [0, 1_500, -2_000, 86_400_000],
  });
  network.show(SOME);
  await network.until(
    () => network.heights.slice(0, 3).every((h) => h >= 2),
    300_000,
  );
  assertOneChain(network);
});

Deno.test("any messages lost or late, any controllers killed and started: one chain, and it goes on", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 5 }),
      fc.infiniteStream(fc.nat(99)),
      async (count, chances) => {
        const chance = () => chances.next().value as number;
        let stormy = true;
        const network = await VirtualNetwork.of({
          count,
          interval: 8,
          passage: () =>
            stormy ? { lost: chance() < 30, delay: chance() * 30 } : {},
        });
        network.show(SOME.slice(0, 2));
        for (let i = 0; i < 12; i++) {
          await network.run(2_500);
          const victim = chance() % count;
          if (chance() < 40) network.kill(victim);
          else if (!network.places[victim]!.up) await network.start(victim);
        }
        assertOneChain(network);
        stormy = false;
        for (let i = 0; i < count; i++) {
          if (!network.places[i]!.up) await network.start(i);
        }
        const highest = Math.max(...network.heights);
        await network.until(
          () => network.heights.every((h) => h > highest + 1),
          200_000,
        );
        assertOneChain(network);
        assertEquals(network.caught, []);
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("killed between any two of its acts, a controller never signs twice at a height", async () => {
  for (let stop = 1; stop < 40; stop++) {
    let letters = 0;
    const network = await VirtualNetwork.of({
      count: 3,
      interval: 10,
      passage(from) {
        if (from === 0 && ++letters >= stop && letters < stop + 12) {
          // What it has said last is not heard, and it is gone.
          network.kill(0);
          return { lost: true };
        }
        return {};
      },
    });
    network.show(SOME.slice(0, 2));
    await network.run(12_000);
    // Back, with other relays to vote for than before.
    network.places[0]!.candidates = [...SOME.slice(2)];
    await network.start(0);
    await network.run(25_000);
    assertOneChain(network);
    assert(Math.max(...network.heights) >= 2, `stop ${stop}`);
  }
});

Deno.test("a controller that lost its head but not its promises signs nothing until it has fetched it", async () => {
  const network = await VirtualNetwork.of({ count: 3, interval: 10 });
  network.show(SOME);
  await network.until(() => network.heights.every((h) => h >= 2), 60_000);
  const place = network.places[1]!;
  network.kill(1);
  place.head = undefined;
  await network.start(1);
  assert(place.agreement.isBehind);
  // Asked for a vote at the height that it believes to be at, it forgets none of its promises.
  for (const [i, { certificate }] of network.controllers.keyrings.entries()) {
    const turn = Math.floor(network.now / 2_500);
    for (let ballot = 3 * turn + 1; ballot <= 3 * turn + 3; ballot++) {
      const outputs = await place.agreement.receive(
        certificate.fingerprint,
        { kind: "collect", height: 1, previous: NO_CONSENSUS, ballot },
        network.now,
      );
      assertEquals(outputs, [], `${i}`);
    }
  }
  await network.until(() => network.heights[1]! >= 3, 60_000);
  assertOneChain(network);
});

// One liar among four: a quorum of three honest ones is left.

Deno.test("a liar that votes for a relay that nobody else sees gets it nowhere", async () => {
  const network = await VirtualNetwork.of({ count: 4, interval: 10 });
  network.show(SOME.slice(0, 2));
  const ghost = { descriptor: await relay(), guard: true };
  network.show([ghost], [0]);
  await network.until(() => network.heights.every((h) => h >= 4), 100_000);
  for (const { head } of network.places) {
    assertEquals(head!.relays.length, 2);
  }
  assertOneChain(network);
});

Deno.test("a liar that says one thing to one and another to others is caught, and cannot split them", async () => {
  const other = new Uint8Array(32).fill(9);
  const twisted = (message: AgreementMessage): AgreementMessage =>
    message.kind === "announce" ? { ...message, hash: other } : message;
  const network = await VirtualNetwork.of({
    count: 4,
    interval: 10,
    passage(from, to, message) {
      if (from !== 0 || message.kind !== "announce") return {};
      // To controller 1 it says both.
      if (to === 1) network.places[1]!.up && post(message);
      return to === 2 ? { message: twisted(message) } : {};
    },
  });
  let posting = false;
  function post(message: AgreementMessage): void {
    if (posting) return;
    posting = true;
    network.post(0, 1, twisted(message));
    posting = false;
  }
  network.show(SOME);
  await network.until(() => network.heights.every((h) => h >= 3), 100_000);
  assert(
    network.caught.some(({ who, offence }) =>
      who === 0 && offence === "two-announcements"
    ),
  );
  assert(network.caught.every(({ who }) => who === 0));
});

Deno.test("a liar's proposal that does not follow from the votes is refused and it is caught", async () => {
  const network = await VirtualNetwork.of({
    count: 4,
    interval: 10,
    passage(from, _, message) {
      if (from !== 0 || message.kind !== "propose") return {};
      const [first] = message.votes;
      return {
        message: { ...message, votes: message.votes.map(() => first!) },
      };
    },
  });
  network.show(SOME);
  await network.until(
    () => network.heights.slice(1).every((h) => h >= 4),
    100_000,
  );
  assert(
    network.caught.some(({ who, offence }) =>
      who === 0 && offence === "invalid-proposal"
    ),
  );
  assertOneChain(network);
});

Deno.test("a liar that votes for a descriptor which it does not show, or shows wrongly, is not counted", async () => {
  const network = await VirtualNetwork.of({
    count: 4,
    interval: 10,
    passage(from, _, message) {
      return from === 0 && message.kind === "vote"
        ? { message: { ...message, descriptors: [] } }
        : {};
    },
  });
  network.show(SOME);
  await network.until(() => network.heights.every((h) => h >= 3), 100_000);
  assertEquals(network.places[1]!.head!.relays.length, 4);
  assert(
    network.caught.some(({ who, offence }) =>
      who === 0 && offence === "invalid-vote"
    ),
  );
});

Deno.test("what a liar claims to have announced before must follow from votes", async () => {
  const network = await VirtualNetwork.of({
    count: 4,
    interval: 10,
    passage(from, _, message) {
      if (from !== 0 || message.kind !== "vote") return {};
      const head = network.places[0]!.head;
      return head === undefined ? {} : {
        message: { ...message, accepted: { votes: [], body: head.body } },
      };
    },
  });
  network.show(SOME);
  await network.until(
    () => network.heights.slice(1).every((h) => h >= 4),
    100_000,
  );
  assertOneChain(network);
});

Deno.test("old words of an old height move nobody", async () => {
  const old: { from: number; message: AgreementMessage }[] = [];
  const network = await VirtualNetwork.of({
    count: 3,
    interval: 10,
    passage(from, _, message) {
      if (old.length < 60) old.push({ from, message });
      return {};
    },
  });
  network.show(SOME);
  await network.until(() => network.heights.every((h) => h >= 3), 60_000);
  for (const { from, message } of old) {
    for (const to of [0, 1, 2]) {
      if (to !== from) network.post(from, to, message);
    }
  }
  await network.run(30_000);
  assert(network.heights.every((h) => h >= 5));
  assertOneChain(network);
});

Deno.test("a ballot is voted in once, before and after a crash, and never one below it", async () => {
  const votes: string[] = [];
  let collect: AgreementMessage | undefined;
  const network = await VirtualNetwork.of({
    count: 3,
    interval: 10,
    passage(from, to, message) {
      if (from === 1 && message.kind === "vote") votes.push(message.kind);
      if (message.kind === "collect" && to === 1) collect = message;
      // Nothing comes of it, so that the height stays.
      return { lost: message.kind === "propose" };
    },
  });
  network.show(SOME);
  await network.until(() => collect !== undefined && votes.length > 0, 20_000);
  for (const i of [0, 2]) network.kill(i);
  const leader = network.places.findIndex((_, i) =>
    i !== 1 && ownerOf(network, collect!) === i
  );
  const before = votes.length;
  for (const restart of [false, true]) {
    if (restart) {
      network.kill(1);
      await network.start(1);
    }
    for (const less of [0, 3, 6]) {
      const { ballot } = collect as { ballot: number };
      network.post(leader, 1, {
        ...collect as Extract<AgreementMessage, { kind: "collect" }>,
        ballot: ballot - less,
      });
    }
    await network.run(100);
  }
  assertEquals(votes.length, before);
});

/** Who leads the ballot of a COLLECT. */
function ownerOf(network: VirtualNetwork, message: AgreementMessage): number {
  const order = network.controllers.keyrings
    .map(({ certificate }) => certificate.fingerprint).sort(compareBytes);
  const { ballot } = message as { ballot: number };
  return network.indexOf(order[(ballot - 1) % order.length]!);
}
