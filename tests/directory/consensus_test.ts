import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { checkSuccession } from "../../lib/directory/chain.ts";
import {
  parseConsensus,
  verifyConsensus,
} from "../../lib/directory/consensus.ts";
import {
  descriptorsOf,
  makeBody,
  parseBody,
} from "../../lib/directory/consensus_body.ts";
import { ConsensusError } from "../../lib/directory/consensus_error.ts";
import type { ConsensusErrorCode } from "../../lib/directory/consensus_error.ts";
import {
  encodeHeader,
  parseHeader,
} from "../../lib/directory/consensus_header.ts";
import {
  majorityOf,
  NetworkError,
  networkOf,
} from "../../lib/directory/network.ts";
import { MalformedError } from "../../lib/protocol/mod.ts";
import { freshNodeKeyring } from "../support/keyrings.ts";
import {
  consensus,
  controllers,
  next,
  NOW,
  relays,
  signedBy,
  times,
} from "./relays.ts";

async function refused(
  work: () => Promise<unknown>,
  ...codes: readonly ConsensusErrorCode[]
): Promise<void> {
  const error = await assertRejects(work, ConsensusError);
  if (!codes.includes(error.code)) assertEquals(error.code, codes.join("|"));
}

Deno.test("S4.1: a consensus holds every relay's fingerprint, address and keys, signed by the quorum", async () => {
  const by = await controllers(3);
  const entries = await relays(5);
  const made = await consensus(by, entries);
  const read = await verifyConsensus(made.bytes, by.network, NOW);
  assertEquals(read.hash, made.hash);
  assertEquals(read.bytes, made.bytes);
  assertEquals(read.signers.length, 3);
  assertEquals(
    read.relays.map(({ descriptor, flags }) => [descriptor.bytes, flags]),
    entries.map(({ descriptor, flags }) => [descriptor.bytes, flags]),
  );
  const again = await verifyConsensus(
    made.bytes,
    by.network,
    NOW,
    descriptorsOf(made),
  );
  assertEquals(again.relays[0]!.descriptor, entries[0]!.descriptor);
});

Deno.test("a consensus that lacks the quorum is refused, whoever else has signed it", async () => {
  const by = await controllers(3);
  const stranger = await freshNodeKeyring();
  const body = await makeBody(times(), await relays(1));
  const [one, two] = by.keyrings;
  const good = await signedBy(body, [one!, two!]);
  await verifyConsensus(good.bytes, by.network, NOW);
  for (const some of [[], [one!], [one!, stranger], [one!, one!]]) {
    const { bytes } = await signedBy(body, some);
    await refused(
      () => verifyConsensus(bytes, by.network, NOW),
      "ERR_CONSENSUS_UNSIGNED",
    );
  }
  // The signatures of one body do not fit another.
  const other = await makeBody(times(), []);
  const moved = new Uint8Array([
    ...other.body,
    ...good.bytes.subarray(body.body.length),
  ]);
  await refused(
    () => verifyConsensus(moved, by.network, NOW),
    "ERR_CONSENSUS_UNSIGNED",
  );
});

Deno.test("a consensus is refused at every length but its own, and with every bit flipped", async () => {
  const by = await controllers(1);
  const { bytes } = await consensus(by, await relays(1));
  for (let length = 0; length < bytes.length; length++) {
    await refused(
      () => parseConsensus(bytes.subarray(0, length), by.network),
      "ERR_CONSENSUS_MALFORMED",
    );
  }
  await refused(
    () => parseConsensus(new Uint8Array([...bytes, 0]), by.network),
    "ERR_CONSENSUS_MALFORMED",
  );
  for (let at = 0; at < bytes.length; at++) {
    const altered = bytes.slice();
    altered[at]! ^= 1 << at % 8;
    await refused(
      () => parseConsensus(altered, by.network),
      "ERR_CONSENSUS_MALFORMED",
      "ERR_CONSENSUS_UNSIGNED",
    );
  }
});

Deno.test("any bytes are a consensus or a ConsensusError", async () => {
  const by = await controllers(1);
  const { body } = await consensus(by, []);
  await fc.assert(fc.asyncProperty(
    fc.uint8Array({ maxLength: 3_000 }),
    fc.boolean(),
    async (bytes, behind) => {
      const some = behind ? new Uint8Array([...body, ...bytes]) : bytes;
      await refused(
        () => parseConsensus(some, by.network),
        "ERR_CONSENSUS_MALFORMED",
        "ERR_CONSENSUS_UNSIGNED",
      );
    },
  ));
});

Deno.test("the times of a consensus are held against the clock, and a wrong clock is named", async () => {
  const by = await controllers(1);
  const { bytes } = await consensus(by, []);
  const at = (now: number) => () => verifyConsensus(bytes, by.network, now);
  for (const now of [NOW - 300, NOW, NOW + 300, NOW + 10_799]) await at(now)();
  await refused(at(NOW - 301), "ERR_CONSENSUS_EARLY");
  await refused(at(NOW - 86_400), "ERR_CONSENSUS_EARLY");
  await refused(at(NOW + 10_800), "ERR_CONSENSUS_EXPIRED");
  await refused(at(NOW + 86_400), "ERR_CONSENSUS_EXPIRED");
  await assertRejects(at(NOW - 301), ConsensusError, "is your clock slow?");
  await assertRejects(at(NOW + 10_800), ConsensusError, "is your clock fast?");
});

Deno.test("relays out of order, twice, or with unknown flags make no consensus", async () => {
  const [one, two] = await relays(2);
  for (const wrong of [[two!, one!], [one!, one!]]) {
    await assertRejects(() => makeBody(times(), wrong), RangeError);
  }
  const { body } = await makeBody(times(), [one!]);
  const flags = body.slice();
  flags[97 + 4] = 16;
  await assertRejects(() => parseBody(flags), MalformedError);
  for (
    const some of [{ height: 0 }, { freshUntil: NOW }, { validUntil: NOW + 1 }]
  ) {
    await assertRejects(() => makeBody(times(some), []), RangeError);
  }
});

Deno.test("a header reads back the same, and stands for all that is behind it", async () => {
  const head = await makeBody(times(), await relays(1));
  const bytes = encodeHeader(head);
  assertEquals(bytes.length, 97);
  assertEquals(encodeHeader(parseHeader(bytes)), bytes);
  for (let length = 0; length < 97; length++) {
    assertThrows(() => parseHeader(bytes.subarray(0, length)), MalformedError);
  }
  const other = await makeBody(times(), []);
  assertEquals(head.hash.toHex() === other.hash.toHex(), false);
});

Deno.test("S4.1: only what descends from the known head is taken; a fork is noticed", async () => {
  const by = await controllers(1);
  const chain = [await consensus(by, [])];
  for (let i = 0; i < 4; i++) chain.push(await next(by, chain.at(-1)!));
  const [a, b, c, d, e] = chain;
  await checkSuccession(a!, [], a!);
  await checkSuccession(a!, [], b!);
  await checkSuccession(a!, [b!, c!, d!], e!);
  const entries = await relays(1);
  const twin = await consensus(by, entries);
  const fork = await next(by, twin);
  const branch = await next(by, b!, entries);
  for (
    const [head, between, to] of [
      [a!, [], twin],
      [b!, [], a!],
      [a!, [], fork],
      [a!, [], c!],
      [a!, [b!, d!], e!],
      [a!, [c!, b!, d!], e!],
      [a!, [b!, c!, d!, d!], e!],
      [c!, [], branch],
      [c!, [branch], e!],
      [a!, [fork], c!],
    ] as const
  ) {
    await refused(
      () => checkSuccession(head, between, to),
      "ERR_CONSENSUS_FORKED",
    );
  }
});

Deno.test("a network has 1 to 16 controllers with fingerprints, and a quorum of more than half", async () => {
  const { network } = await controllers(4);
  const all = network.controllers;
  assertEquals([1, 2, 3, 4, 5].map(majorityOf), [1, 2, 2, 3, 3]);
  assertEquals(networkOf(all).quorum, 3);
  assertEquals(networkOf(all, 4).quorum, 4);
  for (const quorum of [0, 1, 2, 5, 2.5, NaN]) {
    assertThrows(() => networkOf(all, quorum), NetworkError);
  }
  assertThrows(() => networkOf([]), NetworkError);
  assertThrows(() => networkOf([all[0]!, all[0]!]), NetworkError);
  assertThrows(() => networkOf([{ host: "a", port: 1 }]), NetworkError);
  const many = Array.from({ length: 17 }, (_, i) => ({
    host: "a",
    port: 1,
    fingerprint: new Uint8Array(32).fill(i),
  }));
  assertThrows(() => networkOf(many), NetworkError);
  assertEquals(networkOf(many.slice(1)).quorum, 9);
});
