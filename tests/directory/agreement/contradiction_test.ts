import { assert, assertEquals } from "@std/assert";
import type { AgreementMessage } from "../../../lib/directory/agreement/message.ts";
import { signVote } from "../../../lib/directory/agreement/vote.ts";
import { signConsensus } from "../../../lib/directory/consensus.ts";
import { NO_CONSENSUS } from "../../../lib/directory/consensus_header.ts";
import { randomBytes } from "../../../lib/protocol/mod.ts";
import { relays } from "../relays.ts";
import { VirtualNetwork } from "./virtual_network.ts";

// Controller 0 of four lies; three honest ones are a quorum without it.

const SOME = (await relays(2)).map(({ descriptor }) => ({
  descriptor,
  guard: true,
}));

Deno.test("two different votes of one ballot: the liar is caught, the first vote counts", async () => {
  let seen: { to: number; vote: AgreementMessage } | undefined;
  const network = await VirtualNetwork.of({
    count: 4,
    interval: 10,
    passage(from, to, message) {
      if (from === 0 && message.kind === "vote") seen ??= { to, vote: message };
      return {};
    },
  });
  network.show(SOME);
  // One is away, so that the leader waits for it and hears both votes.
  network.kill(3);
  await network.until(() => seen !== undefined, 60_000);
  const { to, vote } = seen!;
  assert(vote.kind === "vote");
  const other = await signVote(
    { ...vote.vote, entries: [] },
    network.controllers.keyrings[0]!,
  );
  network.post(0, to, { ...vote, vote: other, descriptors: [] });
  await network.run(500);
  await network.until(() => network.heights[to]! >= 1, 60_000);
  assertEquals(
    network.caught.map(({ by, who, offence }) => [by, who, offence]),
    [
      [to, 0, "two-votes"],
    ],
  );
  assertEquals(network.places[to]!.head!.relays.length, 2);
});

Deno.test("two signatures of one height: the liar is caught, and the consensus comes without it", async () => {
  const network = await VirtualNetwork.of({ count: 4, interval: 10 });
  const liar = network.controllers.keyrings[0]!;
  const hash = randomBytes(32);
  const { signature } = await signConsensus(hash, liar);
  network.show(SOME);
  // The false one is there before anything else is said of that height.
  for (const to of [1, 2, 3]) {
    network.post(0, to, {
      kind: "signature",
      height: 1,
      hash,
      certificate: liar.certificate.bytes,
      signature,
    });
  }
  await network.until(
    () => network.heights.slice(1).every((h) => h >= 1),
    60_000,
  );
  assert(
    network.caught.some(({ who, offence }) =>
      who === 0 && offence === "two-signatures"
    ),
  );
  const hashes = network.places.slice(1).map(({ head }) => head!.hash.toHex());
  assertEquals(new Set(hashes).size, 1);
  assert(hashes[0] !== hash.toHex());
});

Deno.test("a controller of another chain is caught, and moves nobody", async () => {
  const network = await VirtualNetwork.of({
    count: 4,
    interval: 10,
    passage(from, _, message) {
      return from === 0 && message.kind === "collect"
        ? { message: { ...message, previous: new Uint8Array(32).fill(5) } }
        : {};
    },
  });
  network.show(SOME);
  await network.until(
    () => network.heights.slice(1).every((h) => h >= 4),
    100_000,
  );
  assert(
    network.caught.some(({ who, offence }) =>
      who === 0 && offence === "another-chain"
    ),
  );
  assert(network.caught.every(({ who }) => who === 0));
});

Deno.test("signatures and certificates of others are not taken from a liar", async () => {
  const network = await VirtualNetwork.of({
    count: 4,
    interval: 10,
    passage(from, _, message) {
      if (from !== 0) return {};
      if (message.kind === "signature") {
        const { certificate } = network.controllers.keyrings[1]!;
        return { message: { ...message, certificate: certificate.bytes } };
      }
      return message.kind === "announce"
        ? { message: { ...message, ballot: message.ballot + 1 } }
        : {};
    },
  });
  network.show(SOME);
  await network.until(
    () => network.heights.slice(1).every((h) => h >= 3),
    100_000,
  );
  for (const { head } of network.places.slice(1)) {
    const prints = head!.signers.map(({ fingerprint }) => fingerprint.toHex());
    assertEquals(new Set(prints).size, prints.length);
  }
});

Deno.test("a liar that leads all the time, in its turns and others', does not stop the honest ones", async () => {
  const network = await VirtualNetwork.of({ count: 4, interval: 10 });
  network.show(SOME);
  const end = network.now + 200_000;
  while (network.now < end && network.heights[1]! < 4) {
    const head = network.places[1]!.head;
    const turn = Math.floor(network.now / 2_500);
    for (let ballot = 4 * (turn - 2); ballot < 4 * (turn + 6); ballot++) {
      for (const to of [1, 2, 3]) {
        network.post(0, to, {
          kind: "collect",
          height: (head?.height ?? 0) + 1,
          previous: head?.hash ?? NO_CONSENSUS,
          ballot,
        });
      }
    }
    await network.run(200);
  }
  assert(network.heights[1]! >= 4, `${network.heights}`);
});
